/**
 * The slots of connections that the limits do not decide on: exempt ones, and those of a dry run.
 *
 * @module
 */

import type { ClientKey } from "./client_key.ts";
import { CountedSlot } from "./counted_slot.ts";
import type { Counts } from "./counts.ts";
import type { RefusalReason } from "./reasons.ts";
import { DRY_REFUSALS, type Refusal } from "./slot.ts";

/** The slot of a connection of an exempt network. It counts as any other, and in its network. */
export class ExemptSlot extends CountedSlot {
  readonly #network: ClientKey;

  constructor(client: ClientKey, counts: Counts, network: ClientKey) {
    super(client, counts);
    this.#network = network;
    counts.addExempt(network, 1);
  }

  protected override end(counts: Counts, client: ClientKey): void {
    counts.addExempt(this.#network, -1);
    super.end(counts, client);
  }
}

/** The slot of a connection that only a dry run admits. It takes no room from the others. */
export class DrySlot extends CountedSlot {
  readonly wouldRefuse: Refusal;

  constructor(client: ClientKey, counts: Counts, reason: RefusalReason) {
    super(client, counts);
    this.wouldRefuse = DRY_REFUSALS[reason];
    counts.addApart(reason);
  }

  protected override end(counts: Counts): void {
    counts.subtractApart();
  }
}
