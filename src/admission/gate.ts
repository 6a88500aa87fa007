/**
 * The gate: what stands between "accepted" and "admitted or refused", on every adapter.
 *
 * @module
 */

import { internalsOf } from "../core/internals.ts";
import type { Peer } from "../core/peer.ts";
import type { Admission, Slot } from "../core/slot.ts";
import { noteGiver, slotHeld } from "./limit_once.ts";
import type { PendingStage } from "./pending_stage.ts";
import type { Admitter, GateHooks, Port } from "./port.ts";
import { callRefusalHook } from "./refused_client.ts";

/**
 * Decides on a connection: at once, or in the pending stage.
 *
 * @typeParam C The connections.
 * @typeParam R The port's own result.
 */
export type Gate<C, R> = (conn: C) => R | Promise<R>;

/** The slots of dry runs of which a hook has been told. */
const told = new WeakSet<Slot>();

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
  const counts = pending === undefined ? internalsOf(limiter)?.counts : undefined;
  const refusing = { port, limiter, onError, counts };
  const decide = (conn: C, admission: Admission, peer?: Peer): R => {
    if (admission.admitted) {
      const { wouldRefuse } = admission;
      if (wouldRefuse === undefined || onRefused === undefined || told.has(admission)) {
        return port.admit(conn, admission);
      }
      // A connection that is passed on is admitted again by the slot that it holds.
      told.add(admission);
      const client = counts?.asked;
      try {
        return port.admit(conn, admission);
      } finally {
        // Now a hook may close the connection, and its slot comes back.
        callRefusalHook(onRefused, refusing, wouldRefuse, conn, peer, client);
      }
    }
    if (onRefused !== undefined) callRefusalHook(onRefused, refusing, admission, conn, peer, counts?.asked);
    return port.refuse(conn, admission);
  };
  if (pending === undefined) {
    return (conn) => decide(conn, slotHeld(limiter, port, conn) ?? limiter.tryAccept(port.peerOf(conn)) as Admission);
  }
  const side = {
    ...{ port, limiter, onError },
    decide(conn: C, admission: Admission, peer?: Peer): R {
      if (admission.admitted) noteGiver(admission, limiter);
      return decide(conn, admission, peer);
    },
  };
  return (conn) => pending.offer(conn, side);
}
