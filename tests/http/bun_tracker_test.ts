/**
 * A sweep asks Bun's server which requests have ended, and does so seldom.
 *
 * @module
 */

import { test } from "node:test";
import { assertLessOrEqual, assertStrictEquals } from "@std/assert";
import { type Admission, Limiter } from "@connlimit/connlimit";
import { aWhile, eventually } from "../support/net.ts";
import { OpenConns } from "../../src/admission/open_conn.ts";
import { BunTracker } from "../../src/http/bun_tracker.ts";
import { InFlightRequest } from "../../src/http/in_flight_request.ts";
import { sweeping } from "../../src/http/sweep.ts";

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
  tracker.handlerReturned(inFlight, undefined);
}

function immediate(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

test("BunTracker.sweep() does not ask for everyone's requests with each refusal", async () => {
  const server = new FakeServer();
  const tracker = new BunTracker(server);
  const limiter = new Limiter({ maxPerClient: Infinity, maxTotal: 1_000 });
  for (let i = 0; i < 1_000; i++) track(tracker, server, limiter, `10.0.${i >> 8}.${i & 255}`);
  await aWhile();
  server.calls = 0;
  const start = performance.now();
  for (let i = 0; i < 500; i++) {
    assertStrictEquals((sweeping(limiter, tracker.sweep).tryAccept("192.0.2.8") as Admission).admitted, false);
    await immediate();
  }
  assertStrictEquals(limiter.stats().refusedBy.total, 500);
  // Everyone ten times a second, and once more a second by the timer, however many are refused.
  const times = 2 + (performance.now() - start) / 100 * 1.1;
  assertLessOrEqual(server.calls, 1_000 * times, `${server.calls} calls for 500 refusals`);
  server.ended = true;
  await eventually(() => limiter.open === 0, "every slot to be free");
});

test("BunTracker.sweep() asks for a client's requests once in each turn in which it is refused", async () => {
  const server = new FakeServer();
  const tracker = new BunTracker(server);
  const limiter = new Limiter({ maxPerClient: 1 });
  track(tracker, server, limiter, "192.0.2.7");
  await aWhile();
  const isAdmitted = () => (sweeping(limiter, tracker.sweep).tryAccept("192.0.2.7") as Admission).admitted;
  assertStrictEquals(isAdmitted(), false);
  server.ended = true;
  assertStrictEquals(isAdmitted(), false);
  await immediate();
  assertStrictEquals(isAdmitted(), true);
});
