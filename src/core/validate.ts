/**
 * Validation of what users pass in. Every error message names the option and the value.
 *
 * @module
 */

/** Formats a value for an error message. The text is short for any value. */
export function formatValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) {
    return isPlainObject(value) ? "an object" : `an instance of ${value.constructor?.name}`;
  }
  return String(value);
}

/**
 * Checks that `value` is a plain object. The entries of a `Map`, or the private fields of a class instance, would be
 * ignored, and a limit in them would silently be no limit.
 *
 * @throws {TypeError} If `value` is anything else.
 */
export function checkPlainObject(name: string, value: unknown): asserts value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || !isPlainObject(value)) {
    throw new TypeError(`${name} must be a plain object, got ${formatValue(value)}`);
  }
}

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Checks that `options` has only known keys. A misspelt limit would silently be no limit.
 *
 * @throws {TypeError} For the first unknown key.
 */
export function rejectUnknownKeys(name: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new TypeError(`unknown ${name} ${formatValue(key)}; known are ${known.join(", ")}`);
    }
  }
}

/**
 * Checks that `value` is a whole number from 0, or `Infinity`.
 *
 * @throws {TypeError} If `value` is not a number.
 * @throws {RangeError} If `value` is another number.
 */
export function checkCount(name: string, value: unknown): asserts value is number {
  checkNumber(name, value);
  if (value !== Infinity && !(Number.isSafeInteger(value) && value >= 0)) {
    throw new RangeError(`${name} must be a whole number from 0, or Infinity, got ${formatValue(value)}`);
  }
}

/**
 * Checks that `value` is a whole number from 0 to `max`.
 *
 * @throws {TypeError} If `value` is not a number.
 * @throws {RangeError} If `value` is another number.
 */
export function checkPrefix(name: string, value: unknown, max: number): asserts value is number {
  checkNumber(name, value);
  if (!(Number.isInteger(value) && value >= 0 && value <= max)) {
    throw new RangeError(`${name} must be a whole number from 0 to ${max}, got ${formatValue(value)}`);
  }
}

function checkNumber(name: string, value: unknown): asserts value is number {
  if (typeof value !== "number") throw new TypeError(`${name} must be a number, got ${formatValue(value)}`);
}

/** @throws {TypeError} If `value` is neither a function nor `undefined`. */
export function checkHook(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") {
    throw new TypeError(`${name} must be a function, got ${formatValue(value)}`);
  }
}

/** @throws {TypeError} If `value` is neither an `AbortSignal` nor `undefined`. */
export function checkSignal(name: string, value: unknown): void {
  if (value !== undefined && !(value instanceof AbortSignal)) {
    throw new TypeError(`${name} must be an AbortSignal, got ${formatValue(value)}`);
  }
}

/** The longest delay of `setTimeout`, about 25 days. A longer one would fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Checks that `value` is a delay that `setTimeout` supports, or `Infinity`.
 *
 * @throws {TypeError} If `value` is not a number.
 * @throws {RangeError} If `value` is another number.
 */
export function checkTimeout(name: string, value: unknown): asserts value is number {
  checkNumber(name, value);
  if (value !== Infinity && !(value >= 0 && value <= MAX_TIMEOUT_MS)) {
    throw new RangeError(
      `${name} must be milliseconds from 0 to ${MAX_TIMEOUT_MS}, or Infinity, got ${formatValue(value)}`,
    );
  }
}
