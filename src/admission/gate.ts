/**
 * The gate: what stands between "accepted" and "admitted or refused", on every adapter.
 *
 * @module
 */

import type { Admission } from "../core/slot.ts";
import { callHook } from "./hooks.ts";
import { noteGiver, slotHeld } from "./limit_once.ts";
import type { PendingStage } from "./pending_stage.ts";
import type { Admitter, GateHooks, Port } from "./port.ts";

/**
 * Decides on a connection: at once, or in the pending stage.
 *
 * @typeParam C The connections.
 * @typeParam R The port's own result.
 */
export type Gate<C, R> = (conn: C) => R | Promise<R>;

/**
 * Makes a gate, which offers connections to a limiter and hands them to the adapter's port. Where the limiter answers at
 * once, the whole path is synchronous and allocates nothing. Otherwise the connection is pending meanwhile.
 */
export function createGate<C, R>(
  port: Port<C, R>,
  limiter: Admitter,
  hooks: GateHooks,
  pending?: PendingStage<C>,
): Gate<C, R> {
  const { onRefused, onError } = hooks;
  const decide = (conn: C, admission: Admission): R => {
    if (admission.admitted) return port.admit(conn, admission);
    if (onRefused !== undefined) callHook(onRefused, onError, admission, port.present(conn) as never);
    return port.refuse(conn, admission);
  };
  if (pending === undefined) {
    return (conn) => decide(conn, slotHeld(limiter, port, conn) ?? limiter.tryAccept(port.peerOf(conn)) as Admission);
  }
  const side = {
    ...{ port, limiter, onError },
    decide(conn: C, admission: Admission): R {
      if (admission.admitted) noteGiver(admission, limiter);
      return decide(conn, admission);
    },
  };
  return (conn) => pending.offer(conn, side);
}
