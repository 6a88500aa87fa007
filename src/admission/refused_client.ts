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
import type { Refusal } from "../core/slot.ts";
import { callHook, type ErrorHook } from "./hooks.ts";
import type { Admitter, GateHooks, Port } from "./port.ts";

/** The key under which a hook has what is called in its place, where it does nothing with the connection. */
export const NOTE_REFUSED: unique symbol = Symbol("connlimit.noteRefused");

/** A hook that needs to know the client only. No connection has to be prepared for it, which would take about a µs. */
export interface NotingHook {
  readonly [NOTE_REFUSED]: (refusal: Refusal, client: ClientKey | undefined) => unknown;
}

/** A gate, as far as it refuses. */
export interface RefusingGate<C> {
  readonly port: Pick<Port<C, unknown>, "peerOf" | "present" | "presentAdmitted">;
  readonly limiter: Admitter;
  readonly onError: ErrorHook | undefined;
  /** The counts of a limiter that is asked right before each refusal, so that they know the client. */
  readonly counts: Counts | undefined;
}

/** The refusal that a hook is being called for. */
interface Refused {
  readonly gate: RefusingGate<unknown>;
  readonly conn: unknown;
  readonly peer: Peer | undefined;
  readonly client: ClientKey | undefined;
}

/** Hooks are called one at a time, but what one does may refuse another connection. */
let refused: Refused | undefined;

/**
 * Calls `onRefused`. Until it returns, {@linkcode refusedClient} knows the client, whatever the hook's arguments are and
 * whoever wraps it.
 *
 * @param peer The peer that the limiter was asked for, where that may be another than the port's and where the limiter was
 * not asked in this turn.
 * @param client The client of the refusal, where the gate has counts.
 */
export function callRefusalHook<C>(
  onRefused: NonNullable<GateHooks["onRefused"]>,
  gate: RefusingGate<C>,
  refusal: Refusal,
  conn: C,
  peer: Peer | undefined,
  client: ClientKey | undefined,
): void {
  const { counts, onError, port } = gate;
  const note = (onRefused as Partial<NotingHook>)[NOTE_REFUSED];
  if (note !== undefined && counts !== undefined) return callHook(note, onError, refusal, client);
  const outer = refused;
  refused = { gate: gate as RefusingGate<unknown>, conn, peer, client };
  try {
    const presented = refusal.dryRun ? port.presentAdmitted?.(conn) ?? conn : port.present(conn);
    callHook(onRefused, onError, refusal, presented as never);
  } finally {
    refused = outer;
  }
}

const DEFAULTS = compileLimits({});

/**
 * The client of the refusal that a hook is being called for. Elsewhere, the one of `conn` under the default prefixes. Absent
 * if it has no address.
 */
export function refusedClient(conn: unknown): ClientKey | undefined {
  if (refused === undefined) return defaultClient(conn as Peer);
  const { gate, peer, client } = refused;
  if (gate.counts !== undefined) return client;
  const found = peer ?? gate.port.peerOf(refused.conn);
  const levelsOf = internalsOf(gate.limiter)?.levelsOf;
  if (levelsOf === undefined) return defaultClient(found);
  const [level] = levelsOf(found) ?? [];
  return level?.key;
}

function defaultClient(peer: Peer): ClientKey | undefined {
  return clientOf(peer, DEFAULTS)?.key;
}
