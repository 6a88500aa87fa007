/**
 * What `dashboard()` takes, and what it names where it does not.
 *
 * @module
 */

import { test } from "node:test";
import { assertThrows } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { dashboard, type DashboardOptions } from "@connlimit/connlimit/dashboard";
import { limitRequests } from "@connlimit/connlimit/http";

const limiters = { chat: new Limiter() };

test("dashboard() makes nothing without authorize", () => {
  const wrong = (options: unknown, got: string) =>
    assertThrows(
      () => dashboard(limiters, options as DashboardOptions),
      TypeError,
      `authorize must be "loopback" or a function, since a dashboard shows addresses, got ${got}`,
    );
  wrong(undefined, "undefined");
  wrong({}, "undefined");
  wrong({ authorize: "everyone" }, '"everyone"');
  wrong({ authorize: true }, "true");
});

test("dashboard() names options that it does not take", () => {
  const wrong = (options: object, error: ErrorConstructor, message: string) =>
    assertThrows(() => dashboard(limiters, { authorize: "loopback", ...options }), error, message);
  wrong(
    { refresh: 1 },
    TypeError,
    'unknown dashboard option "refresh"; known are authorize, interval, top, maxViewers',
  );
  wrong({ interval: 249 }, RangeError, "interval must be a whole number from 250 to 5000, got 249");
  wrong({ interval: 5_001 }, RangeError, "interval must be");
  wrong({ interval: "1" }, TypeError, 'interval must be a number, got "1"');
  wrong({ top: 0 }, RangeError, "top must be a whole number from 1 to 100, got 0");
  wrong({ maxViewers: 0 }, RangeError, "maxViewers must be a whole number from 1 to 10000, got 0");
});

test("dashboard() names limiters that are none", () => {
  const wrong = (limiters: unknown, message: string) =>
    assertThrows(() => dashboard(limiters as never, { authorize: "loopback" }), TypeError, message);
  wrong(new Limiter(), "limiters must be named: write dashboard({ name: limiter }, options)");
  wrong({}, "limiters must have at least one limiter, got none");
  wrong({ chat: { maxPerClient: 1 } }, 'limiters["chat"] must be a limiter, got an object');
  wrong({ chat: { stats() {} } }, 'limiters["chat"] must be a limiter, got an object');
  const handler = limitRequests({}, () => new Response());
  wrong(
    { chat: handler },
    'limiters["chat"] must be a limiter, got a function; pass its property "limiter", which is one',
  );
  wrong({ chat: undefined }, 'limiters["chat"] must be a limiter, got undefined');
  wrong([new Limiter()], "limiters must be a plain object, got an array");
  wrong(undefined, "limiters must be a plain object, got undefined");
});
