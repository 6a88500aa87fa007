/**
 * The log of refusals names the clients of requests as the limiter counts them.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { logRefusals } from "@connlimit/connlimit";
import { HttpClient } from "../../testing/http_client.ts";
import { answering, client, LimitedRequests } from "../support/node/limited_requests.ts";

test("logRefusals() names the client that limitServerRequests() was told of, and not its proxy", async () => {
  const lines: unknown[] = [];
  using onRefused = logRefusals({ logger: { warn: (line) => lines.push(line) } });
  const limits = { maxPerClient: 0, ipv6Prefix: 48 };
  await using limited = await LimitedRequests.listen(answering().server, limits, { client, onRefused });
  const headers = ["192.0.2.7", "2001:db8::7, 127.0.0.1", "2001:db8:0:9::8"];
  for (const header of headers) {
    using visitor = await HttpClient.ask(limited.port, "GET /", `X-Forwarded-For: ${header}`);
    await visitor.answer();
  }
  onRefused.flush();
  assertEquals(lines, [
    "connlimit: refused 192.0.2.7 (client)",
    "connlimit: refused 2001:db8::/48 (client)",
    "connlimit: refused 1 more from 1 client in 1 s, most from 2001:db8::/48: 1",
  ]);
});

test("logRefusals() names accounts, within a hook of the user's too", async () => {
  const lines: unknown[] = [];
  using log = logRefusals({ logger: { warn: (line) => lines.push(line) } });
  await using limited = await LimitedRequests.listen(answering().server, { maxPerClient: 0 }, {
    client: (request) => ({ key: request.headers["x-account"] as string }),
    onRefused: (refusal, request) => log(refusal, request),
  });
  using visitor = await HttpClient.ask(limited.port, "GET /", "X-Account: <script>");
  await visitor.answer();
  assertEquals(lines, ['connlimit: refused key "<script>" (client)']);
});
