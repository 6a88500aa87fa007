/**
 * Whether to believe a store.
 *
 * @module
 */

import type { CountReply, CountRequest } from "./store.ts";

/** Throws if a reply makes no sense. */
export function checkReply({ have, want, max }: CountRequest, { granted, others }: CountReply): void {
  const whole = Number.isSafeInteger(granted) && Number.isSafeInteger(others) && granted >= 0 && others >= 0;
  if (!whole || granted > 0 && (want === 0 || have + granted + others > max)) {
    throw new Error(`the store's reply makes no sense: ${granted} granted, ${others} others`);
  }
}
