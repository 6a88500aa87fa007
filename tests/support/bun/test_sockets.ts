/**
 * Tests that look at this process's sockets by the system's count.
 *
 * @module
 */

import { test } from "node:test";
import { assertStrictEquals } from "@std/assert";
import type { Client } from "../net.ts";
import { findSockets, hiddenSockets, type Lack } from "../platform.ts";

type Run = () => Promise<void> | void;

/** `test()` for tests that ask the system for this process's sockets. */
export function testSockets(name: string, ...args: [Run] | [{ readonly skip: Lack }, Run]): void {
  const [{ skip }, run] = args.length === 2 ? args : [{ skip: false as Lack }, args[0]];
  test(name, { skip: hiddenSockets || skip }, run);
}

/** Whether a descriptor is open. */
export type IsOpen = () => boolean;

/** Watches the server's side of the only connection that was made since. */
export function served(before: ReadonlyMap<number, number>, { socket }: Client): IsOpen {
  const { fd } = (socket as unknown as { readonly _handle: { readonly fd: number } })._handle;
  const made = [...findSockets()].filter(([other, node]) => other !== fd && before.get(other) !== node);
  assertStrictEquals(made.length, 1);
  const [[server, node]] = made as [[number, number]];
  return () => findSockets().get(server) === node;
}
