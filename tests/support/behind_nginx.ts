/**
 * Forty visitors of a server behind nginx, which the server takes for one.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Limiter } from "@connlimit/connlimit";
import { HttpClient } from "../../testing/http_client.ts";
import { eventually } from "./net.ts";
import { HEADERS, startNginx } from "./nginx_rules.ts";

const FORTY = Array.from({ length: 40 }, (_, i) => `127.0.0.${i + 2}`);

/**
 * Has forty clients from forty addresses ask nginx for `/`, all at once. Those who are admitted wait until the others have
 * been refused; then `go()` lets the handler answer.
 *
 * @param limiter It admits twenty of a client.
 */
export async function visitThroughNginx(upstream: string, limiter: Limiter, go: () => void): Promise<void> {
  {
    await using nginx = await startNginx(upstream, HEADERS["x-forwarded-for"]!);
    const clients = await Promise.all(FORTY.map((address) => HttpClient.connect(nginx.port, address)));
    for (const client of clients) client.send("GET /", "Connection: close");
    await eventually(() => limiter.stats().refused === 20 && limiter.open === 20, "half of them to be refused");
    go();
    const statuses = await Promise.all(clients.map(async (client) => (await client.answer()).status));
    const counts: Record<number, number> = {};
    for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
    assertEquals(counts, { 200: 20, 429: 20 });
    for (const client of clients) client[Symbol.dispose]();
  }
  // It keeps a connection alive as long as it runs.
  await eventually(() => limiter.open === 0, "the slots to be free");
}

/** What is said of a proxy on this machine. */
export const said = (remedy: string): string =>
  "127.0.0.1 was refused at maxPerClient and sends the header x-forwarded-for; if it is your proxy, all its users are " +
  `one client: ${remedy} (see docs/checks.md#proxy-refused)`;

/** A handler's pause until {@linkcode Held.go}. */
export class Held {
  go: () => void = () => {};
  readonly wait: Promise<void> = new Promise((resolve) => this.go = resolve);
}
