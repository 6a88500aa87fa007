/**
 * What the parser of the PROXY protocol makes of bytes.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { parseProxyHeader } from "../../../src/proxy/parse_proxy_header.ts";
import type { ProxyHeader } from "../../../src/proxy/proxy_protocol_header.ts";
import { type Naive, parseNaively } from "./naive_parser.ts";

export const MAX_HEADER = 4_096;

/** Parses the first bytes of a connection, by default with the default of the option `maxHeader`. */
export function parse(bytes: Uint8Array, maxHeader: number = MAX_HEADER): ProxyHeader | number | undefined {
  return parseProxyHeader(bytes, maxHeader);
}

/** A header in the form of the naive parser. */
export function plain(parsed: ProxyHeader | number | undefined): Naive | undefined {
  if (typeof parsed !== "object") return undefined;
  const { version, command, length, source } = parsed;
  const tlvs = [...parsed.tlvs].map(([type, value]) => `${type} ${String.fromCharCode(...value)}`);
  return { version, command, length, tlvs, ...source && { source: `${source.address} ${source.port}` } };
}

/** The header as a reader gets it that reads no more than is missing; and how often it has read. */
export function readExactly(stream: Uint8Array): { parsed: ProxyHeader | undefined; read: number; reads: number } {
  for (let read = 0, reads = 0;; reads++) {
    const parsed = parse(stream.subarray(0, read));
    if (typeof parsed !== "number") return { parsed, read, reads };
    if (!(parsed >= 1)) throw new Error(`${parsed} bytes are missing`);
    if (read === stream.length) return { parsed: undefined, read, reads };
    read = Math.min(stream.length, read + parsed);
  }
}

/** Fails where the two parsers do not agree. Returns what they have found. */
export function assertAgrees(stream: Uint8Array, maxHeader: number = MAX_HEADER): Naive | undefined {
  const parsed = plain(parse(stream, maxHeader));
  const expected = parseNaively(stream, maxHeader);
  // Far quicker than `assertEquals()`, where there is nothing to tell.
  if (JSON.stringify(parsed) === JSON.stringify(expected)) return parsed;
  assertEquals(parsed, expected, `${[...stream].map((byte) => byte.toString(16)).join(" ")}, at most ${maxHeader}`);
}
