/**
 * The metrics of a limiter, by the SDK of OpenTelemetry.
 *
 * @module
 */

import { test } from "node:test";
import type { Meter } from "@opentelemetry/api";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Limiter, type LimitsOptions, REASONS } from "@connlimit/connlimit";
import { observeLimiter, type ObserveLimiterOptions } from "@connlimit/connlimit/otel";
import { eventually } from "../support/net.ts";

/** Collects when it is asked to. */
class Reader extends MetricReader {
  protected override onShutdown = () => Promise.resolve();
  protected override onForceFlush = () => Promise.resolve();
}

/** A meter of the SDK, and what it reads. */
class Metered implements AsyncDisposable {
  readonly #reader = new Reader();
  readonly #provider = new MeterProvider({ readers: [this.#reader] });
  readonly meter: Meter = this.#provider.getMeter("a server");

  /** The metrics, each with its values by their attributes other than the limiter's name. */
  async read(): Promise<Record<string, Record<string, number>>> {
    const { resourceMetrics, errors } = await this.#reader.collect();
    assertEquals(errors, []);
    const metrics = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
    return Object.fromEntries(metrics.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      Object.fromEntries(dataPoints.map(({ attributes, value }) => {
        const { "connlimit.limiter.name": name, ...others } = attributes;
        return [[name, ...Object.values(others)].join(" "), value as number];
      })),
    ]));
  }

  /** The kinds and units of the metrics. */
  async descriptors(): Promise<string[]> {
    const { resourceMetrics } = await this.#reader.collect();
    return resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)
      .map(({ descriptor: { name, unit, ...others } }) => `${name} ${unit} ${(others as { type?: string }).type}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#provider.shutdown();
  }
}

function observed(meter: Meter, limits: LimitsOptions, options?: ObserveLimiterOptions) {
  const limiter = new Limiter(limits);
  return { limiter, ended: observeLimiter(limiter, meter, options) };
}

test("observeLimiter() reports what the limiter counts when the meter collects", async () => {
  await using metered = new Metered();
  const { limiter } = observed(metered.meter, { maxPerClient: 2 }, { name: "chat" });
  const slots = ["192.0.2.7", "192.0.2.7", "192.0.2.8"].map((peer) => limiter.accept(peer));
  for (const peer of ["192.0.2.7", "192.0.2.7", "nonsense"]) limiter.tryAccept(peer);
  slots[2]!.release();
  const { "connlimit.connection.refused": refused, ...others } = await metered.read();
  assertEquals(others, {
    "connlimit.connection.count": { "chat": 2 },
    "connlimit.connection.peak": { "chat": 3 },
    "connlimit.connection.pending": { "chat": 0 },
    "connlimit.connection.limit": { "chat client": 2 },
    "connlimit.client.count": { "chat": 1 },
    "connlimit.connection.admitted": { "chat": 3 },
    "connlimit.connection.timed_out": { "chat firstByte": 0, "chat idle": 0, "chat maxAge": 0 },
    "connlimit.connection.evicted": { "chat": 0 },
  });
  const expected = { ...Object.fromEntries(Object.keys(REASONS).map((reason) => [reason, 0])), client: 2 };
  assertEquals(
    refused,
    Object.fromEntries(
      Object.entries({ ...expected, "unknown-address": 1 }).map(([reason, count]) => [`chat ${reason}`, count]),
    ),
  );
  limiter.setLimits({ maxPerClient: Infinity, maxTotal: 9 });
  slots[0]!.release();
  const { "connlimit.connection.limit": limit, "connlimit.connection.count": count } = await metered.read();
  // A limit that is lifted is no longer the last one that there was.
  assertEquals([limit, count], [{ "chat client": 2 ** 53 - 1, "chat total": 9 }, { "chat": 1 }]);
});

test("observeLimiter() has the instruments and units of the semantic conventions", async () => {
  await using metered = new Metered();
  observed(metered.meter, {});
  assertEquals(await metered.descriptors(), [
    "connlimit.connection.count {connection} OBSERVABLE_UP_DOWN_COUNTER",
    "connlimit.connection.peak {connection} OBSERVABLE_GAUGE",
    "connlimit.connection.pending {connection} OBSERVABLE_UP_DOWN_COUNTER",
    "connlimit.connection.limit {connection} OBSERVABLE_UP_DOWN_COUNTER",
    "connlimit.client.count {client} OBSERVABLE_UP_DOWN_COUNTER",
    "connlimit.connection.admitted {connection} OBSERVABLE_COUNTER",
    "connlimit.connection.refused {connection} OBSERVABLE_COUNTER",
    "connlimit.connection.timed_out {connection} OBSERVABLE_COUNTER",
    "connlimit.connection.evicted {connection} OBSERVABLE_COUNTER",
  ]);
});

test("observeLimiter() reports what a dry run would refuse, by reason", async () => {
  await using metered = new Metered();
  const { limiter } = observed(metered.meter, { maxPerClient: 0, dryRun: true });
  limiter.tryAccept("192.0.2.7");
  assertEquals((await metered.read())["connlimit.connection.would_refuse"], { "default client": 1 });
});

test("observeLimiter() keeps the limiters of a meter apart by their names, and adds attributes", async () => {
  await using metered = new Metered();
  const { limiter } = observed(metered.meter, {}, { name: "one", attributes: { "server.port": 7000 } });
  observed(metered.meter, {}, { name: "other" });
  limiter.accept("192.0.2.7");
  assertEquals((await metered.read())["connlimit.connection.count"], { "one 7000": 1, "other": 0 });
});

test("observeLimiter() has no attribute that a client makes, whoever is refused", async () => {
  await using metered = new Metered();
  const { limiter } = observed(metered.meter, { maxPerClient: 1 });
  for (let i = 0; i < 100_000; i++) limiter.tryAccept({ key: `<script>\u0000${i}` });
  for (let i = 0; i < 1_000; i++) limiter.tryAccept({ key: "k".repeat(10_000) });
  const metrics = await metered.read();
  const series = Object.values(metrics).flatMap((values) => Object.keys(values));
  // Numbers first, since the difference between 100,000 strings takes minutes to find.
  assertStrictEquals(series.length, 7 + Object.keys(REASONS).length + 3);
  assertEquals(metrics["connlimit.client.count"], { "default": 100_001 });
});

test("observeLimiter() ends with what it returns, and where another limiter takes its name", async () => {
  await using metered = new Metered();
  const counts = async () => (await metered.read())["connlimit.connection.count"];
  const first = observed(metered.meter, {}, { name: "chat" });
  first.limiter.accept("192.0.2.7");
  assertEquals(await counts(), { "chat": 1 });
  const second = observed(metered.meter, {}, { name: "chat" });
  for (let i = 0; i < 2; i++) second.limiter.accept("192.0.2.7");
  // It has ended already, and must not end the other.
  first.ended[Symbol.dispose]();
  observed(metered.meter, {}, { name: "other" });
  for (let i = 0; i < 2; i++) assertEquals(await counts(), { "chat": 2, "other": 0 });
  second.ended[Symbol.dispose]();
  second.ended[Symbol.dispose]();
  second.limiter.accept("192.0.2.7");
  for (let i = 0; i < 2; i++) assertEquals(await counts(), { "chat": 0, "other": 0 });
  const third = observed(metered.meter, {}, { name: "chat" });
  third.limiter.accept("192.0.2.7");
  for (let i = 0; i < 2; i++) assertEquals(await counts(), { "chat": 1, "other": 0 });
});

test("observeLimiter() lets go a limiter that is garbage, and reports that nothing is open", async () => {
  await using metered = new Metered();
  let collected = false;
  const registry = new FinalizationRegistry(() => collected = true);
  (() => {
    const { limiter } = observed(metered.meter, {}, { name: "chat" });
    limiter.accept("192.0.2.7");
    registry.register(limiter, undefined);
  })();
  const { Bun, gc = () => Bun!.gc(true) } = globalThis as { gc?(): void; Bun?: { gc(synchronously: boolean): void } };
  await eventually(() => (gc(), collected), "the garbage collection of the limiter");
  assertEquals((await metered.read())["connlimit.connection.count"], { "chat": 0 });
});

test("observeLimiter() names what it does not take", () => {
  const meter = { addBatchObservableCallback() {} } as never;
  const wrong = (run: () => unknown, message: string) => assertThrows(run, TypeError, message);
  wrong(() => observeLimiter({} as never, meter), "limiter must be a limiter, got an object");
  wrong(() => observeLimiter(new Limiter(), {} as never), "meter must be a meter of @opentelemetry/api, got an object");
  const options = (options: object) => () => observeLimiter(new Limiter(), meter, options);
  wrong(options({ name: "" }), 'name must be a string that is not empty, got ""');
  wrong(options({ attributes: [] }), "attributes must be a plain object, got an array");
  wrong(options({ attributes: { a: {} } }), 'attributes["a"] must be a string, a number or a boolean, got an object');
  wrong(options({ nam: "a" }), 'unknown option "nam"; known are name, attributes');
});
