/**
 * Reading replies. Clients differ in what they make of them, and what makes no sense is a failure.
 *
 * @module
 */

import type { CountReply, RegisteredSign, StoreEntry } from "../shared/store.ts";

/** A whole number from 0. */
export function wholeOf(reply: unknown): number {
  const text = typeof reply === "number" || typeof reply === "bigint" ? `${reply}` : textOf(reply);
  if (!/^\d{1,16}$/.test(text)) throw nonsense(reply);
  return Number(text);
}

/** The reply to a count. */
export function countOf(reply: unknown): CountReply {
  const [granted, others, fields] = listOf(reply);
  if (granted === -1) throw new Error("the store has executed a later request");
  const counts = { granted: wholeOf(granted), others: wholeOf(others) };
  return fields === undefined ? counts : { ...counts, entries: pairsOf(fields).map(entryOf) };
}

/** The reply to a sign of life. */
export function signsOf(reply: unknown): RegisteredSign[] {
  return pairsOf(reply).map(([id, value]) => {
    const [beat, birth, floor, open] = partsOf(value, 4);
    return { id, beat: beat!, birth: birth!, floor: floor!, open: open! };
  });
}

function entryOf([field, value]: [string, string]): StoreEntry {
  const [, id, since] = /^(.+):(\d+)$/.exec(field) ?? [];
  if (id === undefined) throw nonsense(field);
  const [count, seq = since] = value.split(":");
  return { id, since: wholeOf(since), count: wholeOf(count), seq: wholeOf(seq) };
}

function partsOf(value: string, length: number): number[] {
  const parts = value.split(":");
  if (parts.length !== length) throw nonsense(value);
  return parts.map(wholeOf);
}

function pairsOf(reply: unknown): [string, string][] {
  const list = listOf(reply);
  if (list.length % 2 !== 0) throw nonsense(reply);
  return Array.from({ length: list.length / 2 }, (_, i) => [textOf(list[2 * i]), textOf(list[2 * i + 1])]);
}

function listOf(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw nonsense(reply);
  return reply;
}

/** A string, or the bytes of one. */
function textOf(reply: unknown): string {
  if (typeof reply === "string") return reply;
  if (reply instanceof Uint8Array) return new TextDecoder().decode(reply);
  throw nonsense(reply);
}

function nonsense(reply: unknown): Error {
  return new Error(`the store's reply makes no sense: ${typeof reply === "object" ? "an object" : String(reply)}`);
}
