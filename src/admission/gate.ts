/**
 * The gate: what stands between "accepted" and "admitted or refused", on every adapter.
 *
 * @module
 */

import type { Counts } from "../core/counts.ts";
import { internalsOf } from "../core/internals.ts";
import type { Peer } from "../core/peer.ts";
import type { Admission, Refusal } from "../core/slot.ts";
import { callHook, type ErrorHook, hookFailed } from "./hooks.ts";
import type { PendingStage } from "./pending_stage.ts";
import type { Admitter, Awaitable, GateSide, Port } from "./port.ts";

/** The hooks, whatever the connections are. */
export interface GateHooks {
  /** Called with each refused connection. */
  readonly onRefused?: ((refusal: Refusal, conn: never) => unknown) | undefined;
  /** Called with what another hook, a resolver or the limiter threw or rejected with. */
  readonly onError?: ErrorHook | undefined;
}

/**
 * Offers connections to a limiter, and hands them to the adapter's port. Where the limiter answers at once, the whole path
 * is synchronous and allocates nothing. Otherwise the connection is pending meanwhile, in the pending stage.
 *
 * @typeParam C The connections.
 * @typeParam R The port's own result of an offer.
 */
export class Gate<C, R> implements GateSide<C, R> {
  readonly port: Port<C, R>;
  readonly counts: Counts | undefined;
  readonly #limiter: Admitter;
  readonly #hooks: GateHooks;
  readonly #pending: PendingStage<C> | undefined;

  constructor(port: Port<C, R>, limiter: Admitter, hooks: GateHooks, pending?: PendingStage<C>) {
    this.port = port;
    this.counts = internalsOf(limiter)?.counts;
    this.#limiter = limiter;
    this.#hooks = hooks;
    this.#pending = pending;
  }

  /** Decides on a connection: at once, or in the pending stage. */
  offer(conn: C): R | Promise<R> {
    const pending = this.#pending;
    if (pending !== undefined) return pending.offer(conn, this);
    return this.decide(conn, this.#limiter.tryAccept(this.port.peerOf(conn)) as Admission);
  }

  ask(peer: Peer): Awaitable<Admission> {
    return this.#limiter.tryAccept(peer);
  }

  decide(conn: C, admission: Admission): R {
    return admission.admitted ? this.port.admit(conn, admission) : this.refuse(conn, admission);
  }

  refuse(conn: C, refusal: Refusal): R {
    const { onRefused, onError } = this.#hooks;
    if (onRefused !== undefined) callHook(onRefused, onError, refusal, this.port.present(conn) as never);
    return this.port.refuse(conn, refusal);
  }

  report(error: unknown): void {
    hookFailed(this, this.#hooks.onError, error);
  }
}
