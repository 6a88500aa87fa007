/**
 * Requests that are handled twice.
 *
 * @module
 */

import { test } from "node:test";
import { assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { limitRequests } from "@connlimit/connlimit/http";
import { PendingStage } from "../../src/admission/pending_stage.ts";
import { limitHandler } from "../../src/http/limit_requests.ts";
import { eventually } from "../support/net.ts";
import { SlowAdmitter, withResolvers } from "../support/slow_admitter.ts";

test("limitRequests() counts a request that is handled again when its first slot is released only by a sweep", async () => {
  const limiter = new Limiter({ maxPerClient: 1 });
  const second = withResolvers<Response>();
  const results = [new Response(), second.promise];
  const limited = limitRequests(limiter, () => results.shift()!);
  // What Bun's server is on a Unix socket.
  const server = { requestIP: () => null, upgrade: () => false, pendingRequests: 1 };
  const request = new Request("http://localhost/");
  limited(request, server);
  const answered = limited(request, server);
  assertStrictEquals(limiter.open, 1);
  second.resolve(new Response());
  await answered;
  await eventually(() => limiter.open === 0, "the slot to be released");
});

test("limitRequests() counts a pending request on its own where it has ended for the limiter around", async () => {
  const admitter = new SlowAdmitter();
  const info = { remoteAddr: { transport: "tcp", hostname: "192.0.2.7" } } as const;
  const inner = withResolvers<Response>();
  const late = limitHandler(admitter, () => inner.promise, {}, new PendingStage());
  const around = new Limiter();
  let answered: unknown;
  const limited = limitRequests(around, (request: Request, info: object) => {
    answered = late(request, info);
    return new Response();
  });
  limited(new Request("http://localhost/"), info);
  assertStrictEquals(around.open, 0);
  admitter.questions[0]!.decide();
  await eventually(() => admitter.pending === 0, "the admission");
  assertStrictEquals(admitter.limiter.open, 1);
  inner.resolve(new Response());
  await answered;
  await eventually(() => admitter.limiter.open === 0, "the slot to be released");
});
