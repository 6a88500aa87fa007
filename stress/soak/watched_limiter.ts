/**
 * A limiter that is watched: whether it ever lets in more than it may, and how full it is.
 *
 * @module
 */

import { Limiter, type Refusal, type RefusalReason, type Slot } from "../../mod.ts";
import { MOST, mostOf, nextLimits } from "./soak_limits.ts";
import { Random } from "../../testing/random.ts";

/** How often, in milliseconds, it is looked how full it is. */
const PERIOD = 250;

/** The mean time between two changes of the limits, in milliseconds. */
const CHANGES = 3_000;

/** What has been seen of a limiter so far. */
export interface Watch {
  readonly open: number;
  /** How many clients `clients()` goes over. */
  readonly clients: number;
  readonly admitted: number;
  readonly refusedBy: Readonly<Record<RefusalReason, number>>;
  /** The most that were open at once. */
  readonly peak: number;
  /** The most that one client had open at once. */
  readonly peakOfClient: number;
  /** Admissions after which more was open than the limits in force allow. */
  readonly over: number;
  /** How often its limits were changed. */
  readonly changes: number;
  /** How full it was when looked at: the sum of the shares of `maxTotal`, and how often that was. */
  readonly fill: readonly [sum: number, count: number];
}

/** Counts for itself, slot by slot, lest the limiter be asked whether it is right. */
export class WatchedLimiter extends Limiter {
  readonly #open = new Map<string, number>();
  readonly #random: Random;
  #total = 0;
  #peakOfClient = 0;
  #over = 0;
  #changes = 0;
  #fill: [sum: number, count: number] = [0, 0];
  #answered = 0;

  constructor(seed: number) {
    super(MOST);
    this.#random = new Random(seed);
    setInterval(() => this.#look(), PERIOD);
    this.#changeLater();
  }

  override tryAccept(...args: Parameters<Limiter["tryAccept"]>): Slot | Refusal {
    const admission = super.tryAccept(...args);
    if (admission.admitted) this.#count(admission);
    return admission;
  }

  #count(slot: Slot): void {
    const { client } = slot;
    const open = (this.#open.get(client) ?? 0) + 1;
    this.#open.set(client, open);
    this.#total++;
    this.#peakOfClient = Math.max(this.#peakOfClient, open);
    const { limits } = this;
    if (open > mostOf(client, limits) || this.#total > limits.maxTotal) this.#over++;

    const { release } = slot;
    let held = true;
    slot.release = () => {
      release.call(slot);
      if (!held) return;
      held = false;
      this.#total--;
      const rest = this.#open.get(client)! - 1;
      if (rest === 0) this.#open.delete(client);
      else this.#open.set(client, rest);
    };
  }

  /** Where nobody has come since the last look, there is no traffic. */
  #look(): void {
    const { admitted, refused } = this.stats();
    if (this.#answered === admitted + refused) return;
    this.#answered = admitted + refused;
    this.#fill[0] += Math.min(1, this.open / this.limits.maxTotal);
    this.#fill[1]++;
  }

  #changeLater(): void {
    setTimeout(() => {
      this.setLimits(nextLimits(this.#random));
      this.#changes++;
      this.#changeLater();
    }, this.#random.wait(CHANGES));
  }

  /** What has been seen so far. */
  watch(): Watch {
    const { open, admitted, refusedBy, peak } = this.stats();
    return {
      open: Math.max(open, this.#total),
      clients: Math.max([...this.clients()].length, this.#open.size),
      admitted,
      refusedBy,
      peak,
      peakOfClient: this.#peakOfClient,
      over: this.#over,
      changes: this.#changes,
      fill: this.#fill,
    };
  }
}
