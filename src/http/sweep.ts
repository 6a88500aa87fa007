/**
 * Sweeping: for runtimes that do not report every end of a request.
 *
 * @module
 */

import type { Admitter } from "../admission/port.ts";
import { clientName } from "../core/client_key.ts";
import { INTERNALS, internalsOf } from "../core/internals.ts";
import type { Peer } from "../core/peer.ts";
import type { RefusalReason } from "../core/reasons.ts";

/**
 * Releases the slots of requests that have ended unnoticed. Called before a refusal, with its reason and a function that
 * names the client. Returns whether to try once more.
 */
export type Sweep = (reason: RefusalReason, client: () => string) => boolean;

/** A limiter that sweeps before it refuses. */
export function sweeping(limiter: Admitter, sweep: Sweep | undefined): Admitter {
  const internals = internalsOf(limiter);
  if (internals?.attempt === undefined || sweep === undefined || isOverridden(limiter)) return limiter;
  const { counts, attempt, clientOf } = internals;
  const nameOf = (peer: Peer) => {
    const client = clientOf?.(peer);
    return client === undefined ? "" : clientName(client);
  };
  const admitter = {
    tryAccept(peer: Peer) {
      let answer = attempt(peer);
      if (typeof answer === "string" && sweep(answer, () => nameOf(peer))) answer = attempt(peer);
      return typeof answer === "string" ? counts.refuse(answer, peer) : answer;
    },
    [INTERNALS]: internals,
  };
  return admitter;
}

/** Whether the user has replaced the limiter's `tryAccept()`, which must be called then. */
function isOverridden(limiter: Admitter): boolean {
  let own: object | null = limiter;
  while (own !== null && !Object.hasOwn(own, INTERNALS)) own = Object.getPrototypeOf(own);
  return (own as Partial<Admitter> | null)?.tryAccept !== limiter.tryAccept;
}
