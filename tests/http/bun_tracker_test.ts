/**
 * A sweep asks Bun's server which requests have ended, and does so seldom.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertLessOrEqual, assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { HandClock } from "../support/hand_clock.ts";
import { aWhile, eventually } from "../support/net.ts";
import { OpenConns } from "../../src/admission/open_conn.ts";
import { internalsOf } from "../../src/core/internals.ts";
import { BunTracker } from "../../src/http/bun_tracker.ts";
import { InFlightRequest } from "../../src/http/in_flight_request.ts";

/** A server of Bun's in the eyes of a tracker, whose requests go on until that is changed. */
class FakeServer {
  readonly port = 8000;
  readonly pendingRequests = 1;
  /** How often it has been asked for a request. */
  calls = 0;
  ended = false;

  upgrade(): boolean {
    return false;
  }

  requestIP(): { address: string } | null {
    this.calls++;
    return this.ended ? null : { address: "192.0.2.7" };
  }
}

/** Has a request under way that takes long. */
function track(tracker: BunTracker, server: FakeServer, limiter: Limiter, client: string): void {
  const inFlight = new InFlightRequest(new Request("http://localhost/"), server, undefined);
  inFlight.start(limiter.accept(client), new OpenConns());
  tracker.start(inFlight, true);
  tracker.handlerReturned(inFlight, undefined, () => {});
}

function immediate(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

test("BunTracker does not ask for everyone's requests with each refusal", async () => {
  const server = new FakeServer();
  const limiter = new Limiter({ maxPerClient: Infinity, maxTotal: 1_000 });
  const tracker = BunTracker.of(limiter, server);
  for (let i = 0; i < 1_000; i++) track(tracker, server, limiter, `10.0.${i >> 8}.${i & 255}`);
  await aWhile();
  server.calls = 0;
  const start = performance.now();
  for (let i = 0; i < 500; i++) {
    assertStrictEquals(limiter.tryAccept("192.0.2.8").admitted, false);
    await immediate();
  }
  assertStrictEquals(limiter.stats().refusedBy.total, 500);
  // Everyone ten times a second, and once more a second by the timer, however many are refused.
  const times = 2 + (performance.now() - start) / 100 * 1.1;
  assertLessOrEqual(server.calls, 1_000 * times, `${server.calls} calls for 500 refusals`);
  server.ended = true;
  await eventually(() => limiter.open === 0, "every slot to be free");
});

test("BunTracker asks for a client's requests once in each turn in which it is refused", async () => {
  const server = new FakeServer();
  const limiter = new Limiter({ maxPerClient: 1 });
  const tracker = BunTracker.of(limiter, server);
  track(tracker, server, limiter, "192.0.2.7");
  await aWhile();
  const isAdmitted = () => limiter.tryAccept("192.0.2.7").admitted;
  assertStrictEquals(isAdmitted(), false);
  server.ended = true;
  assertStrictEquals(isAdmitted(), false);
  await immediate();
  assertStrictEquals(isAdmitted(), true);
});

test("BunTracker is known to its limiter while it has requests, and is one for all handlers of a server", async () => {
  const server = new FakeServer();
  const limiter = new Limiter({ maxPerClient: 5 });
  const { sweeps } = internalsOf(limiter)!.counts;
  const tracker = BunTracker.of(limiter, server);
  assertStrictEquals(BunTracker.of(limiter, server), tracker);
  assert(BunTracker.of(new Limiter(), server) !== tracker);
  assert(BunTracker.of(limiter, new FakeServer()) !== tracker);
  assertStrictEquals(sweeps.size, 0);
  for (let i = 0; i < 3; i++) track(tracker, server, limiter, "192.0.2.7");
  await aWhile();
  assertStrictEquals(sweeps.size, 1);
  server.ended = true;
  await eventually(() => limiter.open === 0, "every slot to be free");
  assertStrictEquals(sweeps.size, 0);
});

test("BunTracker has a timer only while a request takes long", () => {
  const server = new FakeServer();
  const limiter = new Limiter();
  const clock = new HandClock();
  const tracker = new BunTracker(server, undefined, clock);
  assertStrictEquals(clock.running, false);
  for (let i = 0; i < 3; i++) {
    server.ended = false;
    track(tracker, server, limiter, "192.0.2.7");
    clock.pass(2_000);
    assertEquals([limiter.open, clock.running], [1, true]);
    server.ended = true;
    clock.pass(1_000);
    assertEquals([limiter.open, clock.running], [0, false]);
  }
});
