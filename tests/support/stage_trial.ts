/**
 * A pending stage without connections.
 *
 * @module
 */

import { createGate, type Gate } from "../../src/admission/gate.ts";
import type { PendingOptions } from "../../src/admission/pending_conns.ts";
import { type ClientResolver, PendingStage } from "../../src/admission/pending_stage.ts";
import { FakePort } from "./fake_port.ts";
import { SlowAdmitter } from "./slow_admitter.ts";

/** A gate before a limiter that answers when the test says so. */
export class StageTrial {
  readonly admitter: SlowAdmitter = new SlowAdmitter({ maxPerClient: 1 });
  readonly port: FakePort = new FakePort();
  readonly errors: unknown[] = [];
  readonly stage: PendingStage<string>;
  readonly offer: Gate<string, string>;

  constructor(options: PendingOptions = { timeout: 2 ** 31 - 1 }, resolve?: ClientResolver<string>) {
    this.stage = new PendingStage(options, resolve);
    this.offer = createGate(this.port, this.admitter, { onError: (error) => void this.errors.push(error) }, this.stage);
  }

  /** The numbers of pending and open connections, and of refusals by their reasons. */
  get counts(): unknown[] {
    const { pending, open, refusedBy } = this.admitter.limiter.stats();
    return [pending, open, ...Object.entries(refusedBy).filter(([, count]) => count > 0)];
  }
}
