/**
 * How much of what the store has granted an instance may keep for connections to come.
 *
 * @module
 */

/** Whether a key may keep anything: not at all, while something is open, or always for a while. */
export type Leases = false | "while-open" | "always";

/**
 * Levels that many connections share are leased in blocks, so that a connection need not ask. A block is what is left, divided by
 * twice the number of instances: near the limit it is nothing. What is not used from one tick to the next goes back.
 */
export class Allowance {
  /** How many all other instances have, as the store last said. */
  others = 0;
  readonly #leases: Leases;
  #used = false;
  #unused = false;

  constructor(leases: Leases) {
    this.#leases = leases;
  }

  /** A connection was admitted. */
  use(): void {
    this.#used = true;
    this.#unused = false;
  }

  /** Some time has passed. Returns how many of `spare` may be kept from now on. */
  tick(open: number, spare: number, max: number, split: number): number {
    this.#unused = !this.#used;
    this.#used = false;
    return this.#unused ? 0 : Math.min(spare, this.#block(open, max, split));
  }

  /** How many of `spare` may be kept until the next tick. A block may double, so that opening and closing costs nothing. */
  keep(open: number, spare: number, max: number, split: number): number {
    if (spare <= 0 || !this.#leases || open === 0 && this.#leases !== "always") return 0;
    const block = this.#block(open, max, split);
    return spare > 2 * block ? block : spare;
  }

  #block(open: number, max: number, split: number): number {
    return Math.max(0, Math.floor((max - this.others - open) / split));
  }
}
