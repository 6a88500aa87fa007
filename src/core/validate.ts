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
  if (isPlainObject(value)) return "an object";
  return typeof value === "object" && value ? `an instance of ${value.constructor?.name}` : String(value);
}

/** Options of which nothing is known yet. */
type Options = Record<string, unknown>;

/** The error of a value of the wrong type. */
export function typeError(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${name} must be ${expected}, got ${formatValue(value)}`);
}

/** The error of a value out of its range. */
function rangeError(name: string, expected: string, value: unknown): RangeError {
  return new RangeError(`${name} must be ${expected}, got ${formatValue(value)}`);
}

/**
 * Checks that `value` is a plain object. The entries of a `Map`, or the private fields of a class instance, would be
 * ignored, and a limit in them would silently be no limit.
 *
 * @throws {TypeError} If `value` is anything else.
 */
export function checkPlainObject(name: string, value: unknown): asserts value is Options {
  if (!isPlainObject(value)) throw typeError(name, "a plain object", value);
}

/** Whether a value is one, of this realm or another: `structuredClone()` under Jest makes objects of another. */
export function isPlainObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

/**
 * Checks that `options` is a plain object with known keys only. A misspelt limit would silently be no limit.
 *
 * @param name The name of the object.
 * @param kind The name of its keys, as in `unknown listener option`.
 * @throws {TypeError} If it is anything else, or for the first unknown key.
 */
export function checkOptions(
  name: string,
  kind: string,
  options: unknown,
  known: string[],
): asserts options is Options {
  checkPlainObject(name, options);
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new TypeError(`unknown ${kind} ${formatValue(key)}; known are ${known.join(", ")}`);
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
    throw rangeError(name, "a whole number from 0, or Infinity", value);
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
    throw rangeError(name, `a whole number from 0 to ${max}`, value);
  }
}

/**
 * Checks that `value` is a whole number from `min` to `max`, which may be `Infinity`.
 *
 * @throws {TypeError} If `value` is not a number.
 * @throws {RangeError} If `value` is another number.
 */
export function checkWhole(name: string, value: unknown, min: number, max: number): asserts value is number {
  checkNumber(name, value);
  if (!(Number.isSafeInteger(value) && value >= min && value <= max)) {
    throw rangeError(name, `a whole number from ${min}${max === Infinity ? "" : ` to ${max}`}`, value);
  }
}

function checkNumber(name: string, value: unknown): asserts value is number {
  if (typeof value !== "number") throw typeError(name, "a number", value);
}

/** @throws {TypeError} If `value` is neither a function nor `undefined`. */
export function checkHook(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") {
    throw typeError(name, "a function", value);
  }
}

/** @throws {TypeError} If `value` is neither an `AbortSignal` nor `undefined`. */
export function checkSignal(name: string, value: unknown): void {
  if (value !== undefined && !(value instanceof AbortSignal)) {
    throw typeError(name, "an AbortSignal", value);
  }
}

/** The longest delay of `setTimeout`, about 25 days. A longer one would fire at once. */
export const MAX_TIMEOUT_MS: number = 2 ** 31 - 1;

/**
 * Checks that `value` is a delay that `setTimeout` supports, from `min` milliseconds, or `Infinity`.
 *
 * @throws {TypeError} If `value` is not a number.
 * @throws {RangeError} If `value` is another number.
 */
export function checkTimeout(name: string, value: unknown, min: number = 0): asserts value is number {
  checkNumber(name, value);
  if (value !== Infinity && !(value >= min && value <= MAX_TIMEOUT_MS)) {
    throw rangeError(name, `milliseconds from ${min} to ${MAX_TIMEOUT_MS}, or Infinity`, value);
  }
}

/**
 * Checks that `value` is a delay that `setTimeout` supports.
 *
 * @throws {TypeError} If `value` is not a number.
 * @throws {RangeError} If `value` is another number.
 */
export function checkDeadline(name: string, value: unknown): asserts value is number {
  checkNumber(name, value);
  if (!(value >= 0 && value <= MAX_TIMEOUT_MS)) {
    throw rangeError(name, `milliseconds from 0 to ${MAX_TIMEOUT_MS}`, value);
  }
}
