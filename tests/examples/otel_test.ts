/**
 * The metrics of a limiter by Deno's own OpenTelemetry, as a receiver of OTLP sees them.
 *
 * @module
 */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { REASONS } from "@connlimit/connlimit";
import { Program } from "../../testing/program.ts";
import { eventually } from "../support/net.ts";

/** The part of OTLP that is looked at. */
interface Otlp {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly scope: { readonly name: string };
      readonly metrics: readonly Metric[];
    }[];
  }[];
}
interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: Sum;
  readonly gauge?: Sum;
}
interface Sum {
  readonly isMonotonic?: boolean;
  readonly dataPoints: readonly {
    readonly asInt?: string;
    readonly asDouble?: number;
    readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
  }[];
}

const PROGRAM = `
import { metrics } from "@opentelemetry/api";
import { Limiter } from "@connlimit/connlimit";
import { observeLimiter } from "@connlimit/connlimit/otel";

const limiter = new Limiter({ maxPerClient: 2, maxTotal: 9 });
observeLimiter(limiter, metrics.getMeter("connlimit"), { name: "chat" });
for (let i = 0; i < 5; i++) limiter.tryAccept("192.0.2.7");
limiter.accept({ key: "<script>" });
// The limiter would be garbage otherwise.
setInterval(() => limiter.open, 1_000);
`;

test("observeLimiter() is exported by Deno's own OpenTelemetry", async () => {
  const seen = new Map<string, string>();
  const receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (data) => body += data);
    request.on("end", () => {
      response.setHeader("content-type", "application/json");
      response.end("{}");
      if (request.url !== "/v1/metrics") return;
      for (const { scopeMetrics } of (JSON.parse(body) as Otlp).resourceMetrics) {
        for (
          const { name, unit, sum, gauge } of scopeMetrics.flatMap((it) =>
            it.scope.name === "connlimit" ? it.metrics : []
          )
        ) {
          for (const { asInt, asDouble, attributes } of (sum ?? gauge)!.dataPoints) {
            const values = attributes
              .toSorted(({ key }) => key === "connlimit.limiter.name" ? -1 : 1)
              .map(({ value }) => value.stringValue);
            seen.set(
              [name, ...values].join(" "),
              [Number(asInt ?? asDouble), unit, sum?.isMonotonic ?? "gauge"].join(" "),
            );
          }
        }
      }
    });
  }).listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const root = new URL("../../", import.meta.url);
  await using _ = new Program(Deno.execPath(), ["run", "-A", "--ext=ts", "-"], {
    cwd: root,
    input: PROGRAM,
    env: {
      OTEL_DENO: "true",
      OTEL_DENO_CONSOLE: "ignore",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`,
      OTEL_METRIC_EXPORT_INTERVAL: "50",
    },
  });
  try {
    await eventually(() => seen.has("connlimit.connection.refused chat client"), "metrics to be exported");
    const NONE = "0 {connection} true";
    const reasons = Object.keys(REASONS).map((reason) =>
      [`connlimit.connection.refused chat ${reason}`, `${reason === "client" ? 3 : 0} {connection} true`] as const
    );
    assertEquals(Object.fromEntries(seen), {
      "connlimit.connection.count chat": "3 {connection} false",
      "connlimit.connection.peak chat": "3 {connection} gauge",
      "connlimit.connection.pending chat": "0 {connection} false",
      "connlimit.connection.limit chat client": "2 {connection} false",
      "connlimit.connection.limit chat total": "9 {connection} false",
      "connlimit.client.count chat": "2 {client} false",
      "connlimit.connection.admitted chat": "3 {connection} true",
      ...Object.fromEntries(reasons),
      ...Object.fromEntries(
        ["firstByte", "idle", "maxAge"].map((kind) => [`connlimit.connection.timed_out chat ${kind}`, NONE]),
      ),
      "connlimit.connection.evicted chat": NONE,
    });
  } finally {
    receiver.close();
    receiver.closeAllConnections();
  }
});
