/**
 * The log of refusals names the clients of requests as the limiter counts them, on Deno and Bun.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { logRefusals } from "@connlimit/connlimit";
import { forwarded } from "@connlimit/connlimit/proxy";
import { PendingStage } from "../../src/admission/pending_stage.ts";
import { limitHandler } from "../../src/http/limit_requests.ts";
import { INTERNALS, internalsOf } from "../../src/core/internals.ts";
import { Served } from "../support/http/served.ts";
import { CLIENT_ADDRESS } from "../support/platform.ts";
import { SlowAdmitter } from "../support/slow_admitter.ts";

function logged() {
  const lines: unknown[] = [];
  return { lines, onRefused: logRefusals({ logger: { warn: (line) => lines.push(line) } }) };
}

const answer = () => new Response();

test("logRefusals() names the client that limitRequests() was told of, and not its proxy", async () => {
  const { lines, onRefused } = logged();
  using _ = onRefused;
  const client = forwarded({ header: "x-forwarded-for", trusted: ["127.0.0.0/8"] });
  await using served = new Served(answer, {
    limits: { maxPerClient: 0 },
    options: { client: client as never, onRefused },
  });
  for (const header of ["192.0.2.7", "2001:db8::7", "2001:db8::8"]) {
    await (await served.ask("GET /", undefined, `X-Forwarded-For: ${header}`)).answer();
  }
  onRefused.flush();
  assertEquals(lines, [
    "connlimit: refused 192.0.2.7 (client)",
    "connlimit: refused 2001:db8::/64 (client)",
    "connlimit: refused 1 more from 1 client in 1 s, most from 2001:db8::/64: 1",
  ]);
});

test("logRefusals() names the address of a connection to limitRequests()", async () => {
  const { lines, onRefused } = logged();
  using _ = onRefused;
  await using served = new Served(answer, { limits: { maxPerClient: 0 }, options: { onRefused } });
  await (await served.ask("GET /")).answer();
  assertEquals(lines, [`connlimit: refused ${CLIENT_ADDRESS} (client)`]);
});

test("logRefusals() names the client of a request whose limiter takes its time, and asks for it once", async () => {
  const { lines, onRefused } = logged();
  using _ = onRefused;
  const admitter = new SlowAdmitter({ maxPerClient: 0, ipv6Prefix: 48 });
  Object.defineProperty(admitter, INTERNALS, { value: internalsOf(admitter.limiter) });
  let asked = 0;
  const client = () => `2001:db8::${++asked}`;
  const handler = limitHandler(admitter, answer, { client, onRefused }, new PendingStage());
  const responses = [1, 2].map(() => handler.call(undefined, new Request("http://localhost/"), {}));
  await admitter.asked(2);
  admitter.limiter.tryAccept("192.0.2.7");
  admitter.questions.toReversed().forEach((question) => question.decide());
  for (const response of responses) assertEquals((await response as Response).status, 429);
  onRefused.flush();
  assertEquals(lines, [
    "connlimit: refused 2001:db8::/48 (client)",
    "connlimit: refused 1 more from 1 client in 1 s, most from 2001:db8::/48: 1",
  ]);
  assertEquals(asked, 2);
});
