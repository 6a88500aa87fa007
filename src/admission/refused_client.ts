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

/** A gate, as far as it refuses. */
export interface RefusingGate<C> {
  readonly port: Pick<Port<C, unknown>, "peerOf" | "foundPeer" | "present">;
  readonly limiter: Admitter;
  readonly onError: ErrorHook | undefined;
  /** The counts of a limiter that is asked right before each refusal, so that they know the client. */
  readonly counts: Counts | undefined;
}

/** The refusal that a hook is being called for. Hooks are called in the turn of the refusal, so there is one at a time. */
let gate: RefusingGate<unknown> | undefined;
let refused: unknown;

/**
 * Calls `onRefused`. Until it returns, {@linkcode refusedClient} knows the client, whatever the hook's arguments are and
 * whoever wraps it.
 */
export function callRefusalHook<C>(
  onRefused: NonNullable<GateHooks["onRefused"]>,
  refusing: RefusingGate<C>,
  refusal: Refusal,
  conn: C,
): void {
  const outerGate = gate;
  const outerRefused = refused;
  gate = refusing as RefusingGate<unknown>;
  refused = conn;
  try {
    callHook(onRefused, refusing.onError, refusal, refusing.port.present(conn) as never);
  } finally {
    gate = outerGate;
    refused = outerRefused;
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
  const peer = port.foundPeer?.(refused) ?? port.peerOf(refused);
  const levels = internalsOf(limiter)?.levelsOf;
  return levels === undefined ? defaultClient(peer) : levels(peer)?.[0]!.key;
}

function defaultClient(peer: Peer): ClientKey | undefined {
  return clientOf(peer, DEFAULTS)?.key;
}
