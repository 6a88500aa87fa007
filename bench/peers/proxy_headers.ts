/**
 * How long does it take to parse a header of the PROXY protocol, compared with `proxy-protocol-js`?
 *
 *   deno run --config bench/peers/deno.json bench/peers/proxy_headers.ts
 *
 * Both are given bytes. The other parser checks no address, no port, no TLV and no checksum.
 *
 * @module
 */

import { V1BinaryProxyProtocol, V2ProxyProtocol } from "proxy-protocol-js";
import { parseProxyHeader } from "../../src/proxy/parse_proxy_header.ts";
import { printRow } from "../lib/rows.ts";

const V1 = new TextEncoder().encode("PROXY TCP4 192.0.2.7 10.0.0.1 50000 443\r\n");
const V2 = Uint8Array.of(
  ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x21, 0x11, 0, 12],
  ...[192, 0, 2, 7, 10, 0, 0, 1, 0xc3, 0x50, 1, 0xbb],
);
const TIMES = 100_000;
const PASSES = 15;

let last: unknown;

/** Nanoseconds for a header: those of the best pass. */
function time(parse: () => unknown): number {
  let best = Infinity;
  for (let pass = 0; pass < PASSES; pass++) {
    const start = performance.now();
    for (let i = 0; i < TIMES; i++) last = parse();
    best = Math.min(best, (performance.now() - start) * 1e6 / TIMES);
  }
  return best;
}

const WORK = {
  "parse a header of version 1": [() => parseProxyHeader(V1, 4_096), () => V1BinaryProxyProtocol.parse(V1)],
  "parse a header of version 2": [() => parseProxyHeader(V2, 4_096), () => V2ProxyProtocol.parse(V2)],
} as const;

for (const [work, [ours, theirs]] of Object.entries(WORK)) {
  const [here, there] = [time(ours), time(theirs)];
  printRow(work, here / there, "×", { atMost: 0.1 }, `${here.toFixed(0)} ns to ${there.toFixed(0)} ns`);
}
if (last === undefined) throw new Error("nothing was parsed");
