/**
 * What is left on the heap, on every runtime.
 *
 * @module
 */

import process from "node:process";

/** Bytes on the heap after a collection, which Deno and Node allow with `--expose-gc`, and Bun under a name of its own. */
export function heapUsed(): number {
  const { Bun, gc = () => Bun!.gc(true) } = globalThis as { gc?(): void; Bun?: { gc(synchronously: boolean): void } };
  gc();
  return process.memoryUsage().heapUsed;
}
