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
import type { Admitter, Awaitable, GateSide, Port, WaitingRoom } from "./port.ts";

/** The hooks, whatever the connections are. */
export interface GateHooks {
  /** Called with each refused connection. */
  readonly onRefused?: ((refusal: Refusal, conn: never) => unknown) | undefined;
  /** Called with what another hook, a resolver or the limiter threw or rejected with. */
  readonly onError?: ErrorHook | undefined;
}

/**
 * Offers connections to a limiter, and hands them to the adapter's port. Where the limiter answers at once, the whole path
 * is synchronous and allocates nothing. Otherwise the connection is pending meanwhile, in a waiting room.
 *
 * @typeParam C The connections.
 * @typeParam R The port's own result of an offer.
 */
export class Gate<C, R> implements GateSide<C, R> {
  readonly port: Port<C, R>;
  readonly counts: Counts | undefined;
  readonly #limiter: Admitter;
  readonly #hooks: GateHooks;
  readonly #room: WaitingRoom<C> | undefined;

  constructor(port: Port<C, R>, limiter: Admitter, hooks: GateHooks, room?: WaitingRoom<C>) {
    this.port = port;
    this.counts = internalsOf(limiter)?.counts;
    this.#limiter = limiter;
    this.#hooks = hooks;
    this.#room = room;
  }

  /** Decides on a connection: at once where that can be. */
  offer(conn: C): R | Promise<R> {
    const room = this.#room;
    if (room !== undefined && room.always) return room.wait(conn, undefined, this);
    const admission = this.ask(this.port.peerOf(conn)) as Admission;
    if (admission.admitted) return this.port.admit(conn, admission);
    if (room === undefined || admission.admitted === false) return this.refuse(conn, admission);
    return room.wait(conn, admission as PromiseLike<never>, this);
  }

  ask(peer: Peer): Awaitable<Admission> {
    return this.#limiter.tryAccept(peer);
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
