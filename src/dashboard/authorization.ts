/**
 * Who may see a dashboard.
 *
 * @module
 */

import { hookFailed } from "../admission/hooks.ts";
import { parseAddress } from "../core/address.ts";
import type { Authorize } from "./dashboard_options.ts";
import { peerAddress } from "./peer_address.ts";

/** The header fields of which a proxy sets at least one. */
const PROXIED = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/** Returns `undefined` if a request may see the dashboard, or the answer to one that may not. */
export async function authorization(
  authorize: Authorize,
  request: Request,
  info: unknown,
): Promise<Response | undefined> {
  if (isFromOtherSite(request)) return forbidden("Requests of other sites are refused.");
  if (authorize === "loopback") {
    const why = notLoopback(request, info);
    return why === undefined ? undefined : forbidden(`This page is for loopback only. ${why}`);
  }
  try {
    const answer = await authorize(request, info);
    if (answer === true) return undefined;
    if (answer instanceof Response) return answer;
  } catch (error) {
    hookFailed(authorize, undefined, error);
  }
  return forbidden("You may not see this page.");
}

/** A script of another site can ask, though it cannot read the answer. Only a link may lead here. */
function isFromOtherSite({ headers }: Request): boolean {
  const site = headers.get("sec-fetch-site");
  return (site === "cross-site" || site === "same-site") && headers.get("sec-fetch-mode") !== "navigate";
}

/** Why a request does not come from a client on this machine. `undefined` if it does. */
function notLoopback(request: Request, info: unknown): string | undefined {
  const address = peerAddress(request, info);
  if (address === undefined) {
    return "The handler was not told the client's address: pass on the second argument of the server's handler.";
  }
  if (!isLoopback(address)) return "The client's address is another one.";
  const proxied = PROXIED.find((name) => request.headers.has(name));
  if (proxied !== undefined) return `A proxy has set the header ${proxied}.`;
  // A name of a foreign site can be made to resolve to this machine.
  const { hostname } = new URL(request.url);
  if (hostname !== "localhost" && !isLoopback(hostname.replace(/^\[|\]$/g, ""))) {
    return "The host in its address is neither localhost nor a loopback address.";
  }
  return undefined;
}

function isLoopback(text: string): boolean {
  const address = parseAddress(text);
  if (address === undefined) return false;
  if (typeof address === "number") return address >>> 24 === 127;
  const { a, b, c, d } = address;
  return a === 0 && b === 0 && c === 0 && d === 1;
}

function forbidden(why: string): Response {
  return new Response(`${why}\n`, {
    status: 403,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  });
}
