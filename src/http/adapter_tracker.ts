/**
 * Tracks the requests that an adapter such as `@hono/node-server` or srvx hands to a fetch handler.
 *
 * @module
 */

import type { Check } from "../admission/checks.ts";
import type { Peer } from "../core/peer.ts";
import { adaptedInfo, NodeInfo } from "./adapter_info.ts";
import { DenoTracker, type ServeInfo } from "./deno_tracker.ts";
import type { InFlightRequest } from "./in_flight_request.ts";

/** The tracker for adapters: that of Deno, with what they have of the runtime's own. Bun's requests have Bun's tracker. */
export class AdapterTracker extends DenoTracker {
  override peerOf(request: Request, info: unknown): Peer | undefined {
    const own = adaptedInfo(request, info);
    return own instanceof NodeInfo ? own.peer : own as Peer;
  }

  override whyUnknown(request: Request, info: unknown): Check | undefined {
    const own = adaptedInfo(request, info);
    // The client has left.
    return own instanceof NodeInfo ? undefined : super.whyUnknown(request, own as ServeInfo);
  }

  protected override completedOf(inFlight: InFlightRequest): Promise<unknown> | undefined {
    const own = adaptedInfo(inFlight.request, inFlight.info);
    if (!(own instanceof NodeInfo)) return (own as ServeInfo).completed;
    // The response may close before the handler has settled, which the tracker waits for no longer than it does on Deno.
    return own.completed.then(() => inFlight.result).catch(ignore);
  }
}

function ignore(): void {}
