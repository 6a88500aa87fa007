/**
 * What may be asked of a store by those who are not trusted to ask for sensible things.
 *
 * @module
 */

import { checkOptions, typeError } from "../core/validate.ts";
import type { CountRequest, LifeSign, StoreEntry } from "./store.ts";

/** The length of names of limits, keys and instances, at most. */
const MOST_CHARACTERS = 1_024;
/** Entries that one request names, at most. */
const MOST_ENTRIES = 10_000;

/**
 * The name in the options of a store.
 *
 * @throws {TypeError} For an unknown option, or a name that is not a string of 1 to 256 characters.
 */
export function checkName(options: { readonly name?: string }): string {
  checkOptions("options", "store option", options, ["name"]);
  const { name = "limit" } = options;
  if (typeof name !== "string" || name === "" || name.length > 256) {
    throw typeError("name", "a string of 1 to 256 characters", name);
  }
  return name;
}

/** A text of some length. */
export function textOf(value: unknown): string {
  if (typeof value === "string" && value !== "" && value.length <= MOST_CHARACTERS) return value;
  throw new TypeError("the request has no such text");
}

/** A whole number that is not negative. */
function countOf(value: unknown): number {
  if (Number.isSafeInteger(value) && value as number >= 0) return value as number;
  throw new TypeError("the request has no such number");
}

/** A request to count. The channels of processes have no infinity, and pass `null` in its place. */
export function countRequestOf(value: unknown): CountRequest {
  const { key, id, seq, since, unsure, have, want, max, split } = value as Record<string, unknown>;
  return {
    ...{
      key: textOf(key),
      id: textOf(id),
      seq: countOf(seq),
      since: countOf(since),
      have: countOf(have),
      want: countOf(want),
    },
    ...{
      max: max === null || max === Infinity ? Infinity : countOf(max),
      split: countOf(split),
      unsure: unsure === true,
    },
  };
}

/** Entries to reap. */
export function entriesOf(value: unknown): StoreEntry[] {
  return listOf(value).map((entry) => {
    const { id, count, seq } = entry as Record<string, unknown>;
    return { id: textOf(id), count: countOf(count), seq: countOf(seq) };
  });
}

/** A sign of life. */
export function signOf(value: unknown): LifeSign {
  const { id, beat, floor, open } = value as Record<string, unknown>;
  return { id: textOf(id), beat: countOf(beat), floor: countOf(floor), open: countOf(open) };
}

/** Signs of life. */
export function signsOf(value: unknown): LifeSign[] {
  return listOf(value).map(signOf);
}

function listOf(value: unknown): unknown[] {
  if (Array.isArray(value) && value.length <= MOST_ENTRIES) return value;
  throw new TypeError("the request has no such list");
}
