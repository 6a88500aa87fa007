/**
 * Garbage collections, on every runtime.
 *
 * @module
 */

import { eventually } from "./net.ts";

/** An object that nobody holds. It tells when the garbage collector has taken what is dropped. */
export class Canary {
  #collected = false;
  readonly #registry = new FinalizationRegistry<undefined>(() => this.#collected = true);

  /** Drops the object. */
  drop(): void {
    this.watch({});
  }

  /** Watches an object of the test's own instead. */
  watch(object: object): void {
    this.#registry.register(object, undefined);
  }

  /** Collects garbage until the object is among it. */
  async collected(): Promise<void> {
    const { Bun, gc = () => Bun!.gc(true) } = globalThis as { gc?(): void; Bun?: { gc(synchronously: boolean): void } };
    await eventually(() => {
      gc();
      return this.#collected;
    }, "a garbage collection");
  }
}
