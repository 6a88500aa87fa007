/**
 * What is left on the heap, on every runtime.
 *
 * @module
 */

import process from "node:process";

/** Collects garbage, which Deno and Node allow with `--expose-gc`, and Bun under a name of its own. */
export function collectGarbage(): void {
  const { Bun, gc = () => Bun!.gc(true) } = globalThis as { gc?(): void; Bun?: { gc(synchronously: boolean): void } };
  gc();
}

/** Bytes on the heap after a collection. */
export function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
