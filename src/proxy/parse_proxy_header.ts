/**
 * The PROXY protocol: the header that a proxy sends ahead of a client's bytes.
 * (https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt)
 *
 * @module
 */

import { parseV1 } from "./parse_v1.ts";
import { parseV2 } from "./parse_v2.ts";
import type { ProxyHeader } from "./proxy_protocol_header.ts";

/** The shortest header: `PROXY UNKNOWN` and CRLF. One of version 2 has a byte more. */
export const SHORTEST_HEADER = 15;

/** `P`, with which version 1 begins, and CR, with which version 2 does. */
const V1_FIRST = 0x50;
const V2_FIRST = 0x0d;

/**
 * Parses the first bytes of a connection. What comes behind the header is not looked at.
 *
 * @param bytes The bytes so far.
 * @param maxHeader The length of the longest header that is taken.
 * @returns The header; or, while it is not complete, how many bytes are missing at least; or `undefined` if the bytes are
 * not the beginning of one. Whoever reads no more than is missing reads nothing behind the header.
 */
export function parseProxyHeader(bytes: Uint8Array, maxHeader: number): ProxyHeader | number | undefined {
  if (bytes.length === 0) return SHORTEST_HEADER;
  if (bytes[0] === V1_FIRST) return parseV1(bytes);
  return bytes[0] === V2_FIRST ? parseV2(bytes, maxHeader) : undefined;
}
