/**
 * The client of the refusal that a hook is called for.
 *
 * @module
 */

import type { ClientKey } from "../core/client_key.ts";
import { clientOf } from "../core/client_of.ts";
import type { Counts } from "../core/counts.ts";
import { internalsOf } from "../core/internals.ts";
import { compileLimits } from "../core/limits.ts";
import type { Peer } from "../core/peer.ts";
import type { RefusalReason } from "../core/reasons.ts";
import type { Refusal } from "../core/slot.ts";
import { callHook, type ErrorHook } from "./hooks.ts";
import type { Admitter, GateHooks, Port } from "./port.ts";

/** The key under which a hook has what is called in its place, where it does nothing with the connection. */
export const NOTE_REFUSED: unique symbol = Symbol("connlimit.noteRefused");

/** A hook that needs to know the client only. No connection has to be prepared for it, which would take about a µs. */
export interface NotingHook {
  readonly [NOTE_REFUSED]: (reason: RefusalReason, client: ClientKey | undefined) => unknown;
}

/** A gate, as far as it refuses. */
export interface RefusingGate<C> {
  readonly port: Pick<Port<C, unknown>, "peerOf" | "present">;
  readonly limiter: Admitter;
  readonly onError: ErrorHook | undefined;
  /** The counts of a limiter that is asked right before each refusal, so that they know the client. */
  readonly counts: Counts | undefined;
}

/** The refusal that a hook is being called for. Hooks are called in the turn of the refusal, so there is one at a time. */
let gate: RefusingGate<unknown> | undefined;
let refused: unknown;
let asked: Peer | undefined;

/**
 * Calls `onRefused`. Until it returns, {@linkcode refusedClient} knows the client, whatever the hook's arguments are and
 * whoever wraps it.
 *
 * @param peer The peer that the limiter was asked for, where that may be another than the port's and where the limiter was
 * not asked in this turn.
 */
export function callRefusalHook<C>(
  onRefused: NonNullable<GateHooks["onRefused"]>,
  refusing: RefusingGate<C>,
  refusal: Refusal,
  conn: C,
  peer?: Peer,
): void {
  const note = (onRefused as Partial<NotingHook>)[NOTE_REFUSED];
  const { counts, onError } = refusing;
  if (note !== undefined && counts !== undefined) return callHook(note, onError, refusal.reason, counts.asked);
  const outerGate = gate;
  const outerRefused = refused;
  const outerAsked = asked;
  gate = refusing as RefusingGate<unknown>;
  refused = conn;
  asked = peer;
  try {
    callHook(onRefused, onError, refusal, refusing.port.present(conn) as never);
  } finally {
    gate = outerGate;
    refused = outerRefused;
    asked = outerAsked;
  }
}

const DEFAULTS = compileLimits({});

/**
 * The client of the refusal that a hook is being called for. Elsewhere, the one of `conn` under the default prefixes. Absent
 * if it has no address.
 */
export function refusedClient(conn: unknown): ClientKey | undefined {
  if (gate === undefined) return defaultClient(conn as Peer);
  const { counts, limiter, port } = gate;
  if (counts !== undefined) return counts.asked;
  const peer = asked ?? port.peerOf(refused);
  const levelsOf = internalsOf(limiter)?.levelsOf;
  if (levelsOf === undefined) return defaultClient(peer);
  const [level] = levelsOf(peer) ?? [];
  return level?.key;
}

function defaultClient(peer: Peer): ClientKey | undefined {
  return clientOf(peer, DEFAULTS)?.key;
}
