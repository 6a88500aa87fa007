/**
 * Dashboards, asked without a server.
 *
 * @module
 */

import type { Dashboard, DashboardSnapshot, Explanation } from "@connlimit/connlimit/dashboard";
import { within } from "../../testing/net.ts";

/** Where the requests seem to go to. */
export const ORIGIN = "http://localhost:9000/";

/** What a server tells of a client on this machine. */
export const LOCAL = { remoteAddr: { hostname: "127.0.0.1" } };

/** Asks a dashboard as a client on this machine. */
export function get(page: Dashboard, path: string, init?: RequestInit): Promise<Response> {
  return page(new Request(ORIGIN + path, init), LOCAL);
}

/** The snapshot of a dashboard. */
export async function snapshotOf(page: Dashboard): Promise<DashboardSnapshot> {
  return await (await get(page, "stats.json")).json();
}

/** What a dashboard explains. */
export async function explanationOf(page: Dashboard, query: Record<string, string>): Promise<Explanation> {
  return await (await get(page, `explain?${new URLSearchParams(query)}`)).json();
}

/** Reads the messages of a stream of events, until the caller has read enough. */
export async function* messages({ body }: Response): AsyncGenerator<DashboardSnapshot, void, void> {
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), "a message");
      if (done) return;
      const parts = (text += value).split("\n\n");
      text = parts.pop()!;
      for (const part of parts) yield JSON.parse(/^data: (.*)$/m.exec(part)![1]!);
    }
  } finally {
    await reader.cancel();
  }
}
