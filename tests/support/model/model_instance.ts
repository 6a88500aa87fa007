/**
 * One instance in a model.
 *
 * @module
 */

import type { LimitsOptions, Slot } from "@connlimit/connlimit";
import { checkSharing } from "../../../src/shared/options.ts";
import { SharedAdmission } from "../../../src/shared/shared_admission.ts";
import type { ModelClock } from "./model_clock.ts";
import type { ModelNetwork } from "./model_network.ts";

/** How long instances wait for what, in milliseconds. */
export const PACE = { heartbeatMs: 3_000, deadMs: 7_000, deadlineMs: 200 } as const;

/** After so many milliseconds the store forgets. Everything is said again in 0.3 of it. */
export const TTL_MS = 14_000;

/** A limiter, and what is open there. */
export class ModelInstance {
  readonly id: string;
  readonly admission: SharedAdmission;
  readonly slots: Slot[] = [];
  alive = true;

  constructor(
    id: string,
    limits: LimitsOptions,
    onStoreDown: "local" | "open" | "closed",
    clock: ModelClock,
    network: ModelNetwork,
  ) {
    this.id = id;
    const store = network.storeOf(this, TTL_MS);
    const options = checkSharing({ ...PACE, onStoreDown });
    this.admission = new SharedAdmission(limits, store, options, clock.clockOf(this, id.length * 777), id);
  }

  /** Whether it relies on what the store has granted. */
  get trusts(): boolean {
    return this.alive && this.admission.sharing.trusted;
  }

  /** Connections of a client. The slot, if there is one, is there after some turns. */
  accept(client: string): void {
    Promise.resolve(this.admission.tryAccept(client)).then((admission) => {
      if (!admission.admitted) return;
      if (this.alive) this.slots.push(admission);
      else admission.release();
    });
  }

  /** Closes the connection that has been open for longest. */
  release(): void {
    this.slots.shift()?.release();
  }

  /** How many connections some of the clients have here. */
  open(isMeant: (client: string) => boolean = () => true): number {
    return this.slots.filter(({ client }) => isMeant(client)).length;
  }
}
