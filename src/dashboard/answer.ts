/**
 * The answers of a dashboard.
 *
 * @module
 */

import { formatAddress } from "../core/address.ts";
import { parseCidr } from "../core/cidr.ts";
import { type Peer, UNIX_PEER } from "../core/peer.ts";
import type { Board } from "./board.ts";
import { page } from "./page.ts";
import { encodeMessage } from "./viewers.ts";

const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "x-frame-options": "DENY",
};

/** Answers a request of somebody who may see the dashboard. */
export async function answer(request: Request, board: Board): Promise<Response> {
  const { method } = request;
  if (method !== "GET" && method !== "HEAD") {
    return text(405, "Only GET and HEAD are known here.", { allow: "GET, HEAD" });
  }
  const { pathname, searchParams } = new URL(request.url);
  const response = await route(pathname.slice(pathname.lastIndexOf("/") + 1), searchParams, board, method === "HEAD");
  // A body that nobody reads would hold a viewer.
  return method === "HEAD" ? new Response(null, response) : response;
}

function route(name: string, query: URLSearchParams, board: Board, isHead: boolean): Response | Promise<Response> {
  if (name === "events") return events(board, isHead);
  if (name === "stats.json") return json(200, board.snapshot());
  if (name === "explain") return explain(query, board);
  return name.includes(".") ? text(404, "There is nothing of this name.") : wholePage();
}

async function wholePage(): Promise<Response> {
  const { html, policy } = await page();
  return new Response(html, {
    headers: { ...HEADERS, "content-type": "text/html; charset=utf-8", "content-security-policy": policy },
  });
}

function events(board: Board, isHead: boolean): Response {
  if (board.viewers.isFull) {
    return text(503, "As many pages are live as may be. Try again later.", { "retry-after": "5" });
  }
  const body = isHead ? null : board.viewers.add(encodeMessage(board.snapshot()));
  // nginx buffers responses unless it is told not to.
  return new Response(body, {
    headers: { ...HEADERS, "content-type": "text/event-stream", "x-accel-buffering": "no" },
  });
}

async function explain(query: URLSearchParams, board: Board): Promise<Response> {
  const limiter = board.find(query.get("limiter"));
  if (limiter === undefined) return failure(404, "There is no limiter of this name.");
  const [peer, key] = [query.get("peer"), query.get("key")];
  if ((peer === null) === (key === null)) return failure(400, "Give either peer or key.");
  const explanation = await limiter.explain(key === null ? peerOf(peer!.trim()) : { key });
  return explanation === undefined
    ? failure(404, "This limiter does not explain its answers.")
    : json(200, JSON.stringify(explanation));
}

/** The peer that a text stands for: an address, `unix`, or a network, of which it is the first address. */
function peerOf(text: string): Peer {
  if (text === "unix") return UNIX_PEER;
  const network = text.includes("/") ? parseCidr(text) : undefined;
  return network === undefined ? text : formatAddress(network.address);
}

function json(status: number, body: string): Response {
  return new Response(body, { status, headers: { ...HEADERS, "content-type": "application/json" } });
}

function failure(status: number, error: string): Response {
  return json(status, JSON.stringify({ error }));
}

function text(status: number, body: string, more: Record<string, string> = {}): Response {
  return new Response(`${body}\n`, {
    status,
    headers: { ...HEADERS, ...more, "content-type": "text/plain; charset=utf-8" },
  });
}
