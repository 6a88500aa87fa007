import { test } from "node:test";
import { assert } from "@std/assert";
import { pick, randomly } from "../support/crowd.ts";
import { bytes, concat, encode, v2, v2WithCrc } from "../support/proxy/headers.ts";
import { assertAgrees, MAX_HEADER } from "../support/proxy/parsed.ts";

const HEADERS = 200_000;
const seed = Date.now() | 0;
const random = randomly(seed);

const ADDRESSES4 = [
  "0.0.0.0",
  "192.0.2.7",
  "255.255.255.255",
  "10.0.0.1",
  "1.2.3.04",
  "1.2.3",
  "256.1.1.1",
  "1.2.3.4.5",
];
const ADDRESSES6 = [
  "::",
  "::1",
  "2001:db8::7",
  "1:2:3:4:5:6:7:8",
  "::ffff:192.0.2.7",
  "1::",
  "fe80::1%2",
  ":::",
  "1:2",
  "g::",
];
const PORTS = ["0", "1", "443", "65535", "65536", "00", "080", "-1", "", "99999"];

/** One of the first few, or now and then one of the others, which are mostly wrong. */
function mostly(values: readonly string[], good: number): string {
  return random(8) > 0 ? values[random(good)]! : pick(random, values);
}

function line(): Uint8Array {
  const kind = pick(random, ["TCP4", "TCP6", "TCP4", "TCP6", "UNKNOWN"]);
  const address = () =>
    random(4) > 0 ? randomAddress(kind === "TCP6") : kind === "TCP6" ? mostly(ADDRESSES6, 6) : mostly(ADDRESSES4, 4);
  if (kind === "UNKNOWN" && random(2) > 0) return bytes(`PROXY UNKNOWN${" x".repeat(random(50))}\r\n`);
  return bytes(`PROXY ${kind} ${address()} ${address()} ${mostly(PORTS, 4)} ${mostly(PORTS, 4)}\r\n`);
}

function randomAddress(six: boolean): string {
  if (!six) return Array.from({ length: 4 }, () => random(256)).join(".");
  const groups = Array.from({ length: 8 }, () => random(3) > 0 ? random(65_536).toString(16) : "0");
  if (random(2) > 0) groups.splice(random(7), 1 + random(2), "");
  return groups.join(":");
}

function randomBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random(256));
}

const BLOCKS = [[0x00, 0], [0x11, 12], [0x12, 12], [0x21, 36], [0x22, 36], [0x31, 216], [0x32, 216]] as const;

function binary(): Uint8Array {
  const [family, size] = random(3) > 0 ? pick(random, [BLOCKS[1], BLOCKS[3]]) : pick(random, BLOCKS);
  const tlvs = Array.from({ length: random(4) }, () => [random(256), randomBytes(random(20))] as const);
  const make = random(3) > 0 ? v2 : v2WithCrc;
  const mapped = size === 36 && random(4) === 0 ? concat(new Uint8Array(10), [255, 255]) : [];
  return make(random(10) > 0 ? 0x21 : 0x20, family, mapped, randomBytes(size - mapped.length), encode(tlvs));
}

/** Damages a header in one of the ways in which headers are damaged. */
function damage(header: Uint8Array): Uint8Array {
  const at = random(header.length);
  return [
    () => header,
    () => header,
    () => header.fill(random(256), at, at + 1),
    () => header.fill(header[at]! ^ 1 << random(8), at, at + 1),
    () => header.subarray(0, at),
    () => concat(header.subarray(0, at), header.subarray(at + 1)),
    () => concat(header.subarray(0, at), [random(256)], header.subarray(at)),
    () => concat(header, randomBytes(random(40))),
  ][random(8)]!();
}

/** That what is asked for of an incomplete header is no more than it needs is a test of its own, for every form. */
test(`parseProxyHeader() agrees with another parser about ${HEADERS} headers (seed ${seed})`, () => {
  let valid = 0;
  for (let i = 0; i < HEADERS; i++) {
    const stream = damage(random(2) > 0 ? line() : binary());
    const maxHeader = random(10) > 0 ? MAX_HEADER : 107 + random(200);
    valid += Number(assertAgrees(stream, maxHeader) !== undefined);
  }
  assert(valid > HEADERS / 4 && valid < HEADERS * 3 / 4, `${valid} were valid`);
});
