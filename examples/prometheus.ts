/**
 * A limited echo server of `node:net`, with its counters for Prometheus by `prom-client`.
 *
 *   deno run --allow-net --allow-env --allow-read --allow-sys examples/prometheus.ts
 *   bun examples/prometheus.ts
 *   npx tsx examples/prometheus.ts
 *
 * Try it with `nc localhost 7000` in a few terminals, and `curl localhost:9100/metrics`.
 *
 * @module
 */

import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import process from "node:process";
import { Counter, Gauge, register } from "prom-client";
import { type LimiterStats, logRefusals } from "@connlimit/connlimit";
import { limitServer } from "@connlimit/connlimit/node";

const server = createServer((socket) => void socket.on("error", () => {}).pipe(socket));
const { limiter } = limitServer(server, { maxPerClient: 2, maxTotal: 1_000 }, { onRefused: logRefusals() });
server.listen(Number(process.argv[2] ?? 7000));

/** A value that is read when Prometheus asks. */
function gauge(name: string, help: string, read: (stats: LimiterStats) => number) {
  new Gauge({
    name,
    help,
    collect() {
      this.set(read(limiter.stats()));
    },
  });
}

gauge("connlimit_connections_open", "Connections that are open.", ({ open }) => open);
gauge("connlimit_connections_peak", "The most connections that have been open at once.", ({ peak }) => peak);
gauge("connlimit_connections_pending", "Accepted connections that wait for a decision.", ({ pending }) => pending);
gauge("connlimit_connections_limit", "The most connections that may be open.", () => limiter.limits.maxTotal);
gauge("connlimit_clients", "Clients with open connections.", ({ clients }) => clients);
new Counter({
  name: "connlimit_connections_admitted_total",
  help: "Connections admitted.",
  collect() {
    this.reset();
    this.inc(limiter.stats().admitted);
  },
});
new Counter({
  name: "connlimit_connections_refused_total",
  help: "Connections refused, by reason.",
  labelNames: ["reason"],
  collect() {
    this.reset();
    for (const [reason, count] of Object.entries(limiter.stats().refusedBy)) this.inc({ reason }, count);
  },
});

createHttpServer(async (_request, response) => {
  response.setHeader("content-type", register.contentType).end(await register.metrics());
}).listen(Number(process.argv[3] ?? 9100));
