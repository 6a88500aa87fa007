/**
 * Checks of what users pass in. Every message names the option and the value.
 *
 * @module
 */

/** A value as an error message shows it: short, whatever it is. */
export function formatValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) {
    return isPlain(value) ? "an object" : `an instance of ${value.constructor?.name}`;
  }
  return String(value);
}

/**
 * @throws {TypeError} Unless `value` is a plain object. A map or a class instance has its content where no option is looked
 * for, and must not pass as no limit.
 */
export function checkPlainObject(name: string, value: unknown): asserts value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || !isPlain(value)) {
    throw new TypeError(`${name} must be a plain object, got ${formatValue(value)}`);
  }
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** @throws {TypeError} If `options` has a name that is not known: a misspelt limit must not pass as no limit. */
export function rejectUnknownKeys(name: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new TypeError(`unknown ${name} ${formatValue(key)}; known are ${known.join(", ")}`);
    }
  }
}

/** @throws Unless `value` is a whole number from 0, or `Infinity`. */
export function checkCount(name: string, value: unknown): asserts value is number {
  checkNumber(name, value);
  if (value !== Infinity && !(Number.isSafeInteger(value) && value >= 0)) {
    throw new RangeError(`${name} must be a whole number from 0, or Infinity, got ${formatValue(value)}`);
  }
}

/** @throws Unless `value` is a whole number from 0 to `most`. */
export function checkPrefix(name: string, value: unknown, most: number): asserts value is number {
  checkNumber(name, value);
  if (!(Number.isInteger(value) && value >= 0 && value <= most)) {
    throw new RangeError(`${name} must be a whole number from 0 to ${most}, got ${formatValue(value)}`);
  }
}

/** @throws {TypeError} Unless `value` is a number. */
function checkNumber(name: string, value: unknown): asserts value is number {
  if (typeof value !== "number") throw new TypeError(`${name} must be a number, got ${formatValue(value)}`);
}

/** @throws {TypeError} Unless `value` is a function or absent. */
export function checkHook(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") {
    throw new TypeError(`${name} must be a function, got ${formatValue(value)}`);
  }
}

/** @throws {TypeError} Unless `value` is an abort signal or absent. */
export function checkSignal(name: string, value: unknown): void {
  if (value !== undefined && !(value instanceof AbortSignal)) {
    throw new TypeError(`${name} must be an AbortSignal, got ${formatValue(value)}`);
  }
}

/** The longest that `setTimeout` can wait. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** @throws Unless `value` is a number of milliseconds that a timer can wait, or `Infinity`. */
export function checkTimeout(name: string, value: unknown): asserts value is number {
  checkNumber(name, value);
  if (value !== Infinity && !(value >= 0 && value <= LONGEST_TIMEOUT)) {
    throw new RangeError(
      `${name} must be milliseconds from 0 to ${LONGEST_TIMEOUT}, or Infinity, got ${formatValue(value)}`,
    );
  }
}
