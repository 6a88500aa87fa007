/**
 * The gate: what stands between "accepted" and "admitted or refused", on every adapter.
 *
 * @module
 */

import type { Admission } from "../core/slot.ts";
import { callHook } from "./hooks.ts";
import type { PendingStage } from "./pending_stage.ts";
import type { Admitter, GateHooks, GateSide, Port } from "./port.ts";

/**
 * Offers connections to a limiter, and hands them to the adapter's port. Where the limiter answers at once, the whole path
 * is synchronous and allocates nothing. Otherwise the connection is pending meanwhile, in the pending stage.
 *
 * @typeParam C The connections.
 * @typeParam R The port's own result of an offer.
 */
export class Gate<C, R> implements GateSide<C, R> {
  readonly port: Port<C, R>;
  readonly limiter: Admitter;
  readonly hooks: GateHooks;
  readonly #pending: PendingStage<C> | undefined;

  constructor(port: Port<C, R>, limiter: Admitter, hooks: GateHooks, pending?: PendingStage<C>) {
    this.port = port;
    this.limiter = limiter;
    this.hooks = hooks;
    this.#pending = pending;
  }

  /** Decides on a connection: at once, or in the pending stage. */
  offer(conn: C): R | Promise<R> {
    const pending = this.#pending;
    if (pending !== undefined) return pending.offer(conn, this);
    return this.decide(conn, this.limiter.tryAccept(this.port.peerOf(conn)) as Admission);
  }

  decide(conn: C, admission: Admission): R {
    if (admission.admitted) return this.port.admit(conn, admission);
    const { onRefused, onError } = this.hooks;
    if (onRefused !== undefined) callHook(onRefused, onError, admission, this.port.present(conn) as never);
    return this.port.refuse(conn, admission);
  }
}
