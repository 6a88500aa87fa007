/**
 * Figures as text.
 *
 * @module
 */

import type { Figure } from "./figures.ts";

/** A number with the digits that mean something. */
export function showNumber(value: number): string {
  const digits = Math.abs(value) >= 99.5 ? 0 : Math.abs(value) >= 9.95 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

/** A figure with its unit, and with its ratio where that says something. */
export function showFigure({ value, unit, ratio }: Figure): string {
  const amount = `${showNumber(value)} ${unit}`;
  return isTold(ratio) ? `${amount} (${ratio.toFixed(2)} ×)` : amount;
}

/** Whether a ratio says something. JSON has `null` for what is not a number. */
export function isTold(ratio: number | null): ratio is number {
  return ratio !== null && Number.isFinite(ratio) && ratio !== 1;
}

/** Values without repetition, in the order of their first appearance. */
export function distinct<T>(values: Iterable<T>): T[] {
  return [...new Set(values)];
}
