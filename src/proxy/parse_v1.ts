/**
 * Version 1 of the PROXY protocol: a line of text, such as `PROXY TCP4 192.0.2.7 10.0.0.1 56324 443` and CRLF.
 *
 * @module
 */

import { type Address, parseAddress } from "../core/address.ts";
import { ProxyHeader } from "./proxy_protocol_header.ts";

/** The longest line, with its CRLF. */
const LONGEST_V1 = 107;
/** The shortest line, with its CRLF. */
const SHORTEST_V1 = 15;

const CR = 13;
const LF = 10;
const SPACE = 32;
const DOT = 46;
const DIGIT_0 = 48;
const COLON = 58;

const PREFIX = bytesOf("PROXY ");
const UNKNOWN = bytesOf("UNKNOWN");
const TCP = bytesOf("TCP");

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Like `parseProxyHeader()`, for bytes that begin with a `P`. */
export function parseV1(bytes: Uint8Array): ProxyHeader | number | undefined {
  const { length } = bytes;
  if (!startsWith(bytes, PREFIX, 0)) return undefined;
  const unknown = bytes[6] === UNKNOWN[0];
  if (!startsWith(bytes, unknown ? UNKNOWN : TCP, 6)) return undefined;
  if (length < SHORTEST_V1) return SHORTEST_V1 - length;
  const end = endOfLine(bytes);
  if (end < 0) return undefined;
  if (unknown) {
    if (bytes[13] !== SPACE && end !== 13) return undefined;
    return end + 2 <= length ? new ProxyHeader(1, "PROXY", end + 2, undefined) : end + 2 - length;
  }
  const six = bytes[9] === DIGIT_0 + 6;
  if (!six && bytes[9] !== DIGIT_0 + 4 || bytes[10] !== SPACE) return undefined;
  return end + 2 <= length ? parseRoute(bytes, end, six) : missing(bytes, end, six);
}

/** Whether a word is at a place, as far as there are bytes. */
function startsWith(bytes: Uint8Array, word: Uint8Array, at: number): boolean {
  const length = Math.min(word.length, bytes.length - at);
  for (let i = 0; i < length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}

/** The index of the CR, or where it can be at the earliest. -1 for a CR or LF alone, and for a line that is too long. */
function endOfLine(bytes: Uint8Array): number {
  const last = Math.min(bytes.length, LONGEST_V1 - 1);
  for (let i = 11; i < last; i++) {
    const byte = bytes[i]!;
    if (byte > CR) continue;
    if (byte === LF) return -1;
    if (byte === CR) return i + 1 === bytes.length || bytes[i + 1] === LF ? i : -1;
  }
  return last === LONGEST_V1 - 1 ? -1 : last;
}

/** Parses the fields of a whole line. */
function parseRoute(bytes: Uint8Array, end: number, six: boolean): ProxyHeader | undefined {
  const second = bytes.indexOf(SPACE, 11) + 1;
  const third = bytes.indexOf(SPACE, second) + 1;
  const fourth = bytes.indexOf(SPACE, third) + 1;
  if (second === 0 || third === 0 || fourth === 0 || fourth >= end) return undefined;
  const parse = six ? parseIPv6 : parseIPv4;
  const source = parse(bytes, 11, second - 1);
  const destination = parse(bytes, second, third - 1);
  const sourcePort = parsePort(bytes, third, fourth - 1);
  const destinationPort = parsePort(bytes, fourth, end);
  if (source === undefined || destination === undefined || sourcePort < 0 || destinationPort < 0) return undefined;
  return new ProxyHeader(1, "PROXY", end + 2, { source, sourcePort, destination, destinationPort });
}

/** Parses dotted decimal as strictly as `parseAddress()`, without making a text of it. */
function parseIPv4(bytes: Uint8Array, start: number, end: number): number | undefined {
  let address = 0;
  let octet = -1;
  let dots = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    const digit = byte - DIGIT_0;
    if (digit >= 0 && digit <= 9) {
      if (octet < 0) octet = digit;
      else if (octet === 0 || (octet = octet * 10 + digit) > 255) return undefined;
    } else if (byte === DOT && octet >= 0 && dots < 3) {
      address = address << 8 | octet;
      octet = -1;
      dots++;
    } else {
      return undefined;
    }
  }
  return dots === 3 && octet >= 0 ? (address << 8 | octet) >>> 0 : undefined;
}

/** Parses an IPv6 address. An IPv4-mapped one becomes an IPv4 address; one in dotted decimal alone is invalid. */
function parseIPv6(bytes: Uint8Array, start: number, end: number): Address | undefined {
  let colons = 0;
  let text = "";
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    // It would begin a zone id, which means nothing to another host.
    if (byte === 0x25) return undefined;
    if (byte === COLON) colons++;
    text += String.fromCharCode(byte);
  }
  return colons < 2 ? undefined : parseAddress(text);
}

/** Parses a decimal number up to 65,535 without leading zeros. Returns -1 if it is none. */
function parsePort(bytes: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > 5 || bytes[start] === DIGIT_0 && end - start > 1) return -1;
  let port = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - DIGIT_0;
    if (digit < 0 || digit > 9) return -1;
    port = port * 10 + digit;
  }
  return port <= 0xffff ? port : -1;
}

/** How many bytes an incomplete line lacks at least: the rest of the field that it ends in, those behind that, and CRLF. */
function missing(bytes: Uint8Array, end: number, six: boolean): number | undefined {
  const { length } = bytes;
  let field = 0;
  let start = 11;
  for (let i = 11; i < end; i++) {
    if (bytes[i] !== SPACE) continue;
    if (i === start || ++field > 3) return undefined;
    start = i + 1;
  }
  // The CR is there already.
  if (end < length) return field === 3 && end > start ? 1 : undefined;
  const shortest = six ? 2 : 7;
  const restOfField = field > 1 ? Number(start === end) : six ? restOfIPv6(bytes, start) : restOfIPv4(bytes, start);
  const restOfLine = 2 + Math.min(3 - field, 2) * 2 + (field === 0 ? 1 + shortest : 0);
  return Math.min(restOfField + restOfLine, LONGEST_V1 - length);
}

/** How many bytes an address in dotted decimal lacks at least. */
function restOfIPv4(bytes: Uint8Array, start: number): number {
  let dots = 0;
  for (let i = start; i < bytes.length; i++) if (bytes[i] === DOT) dots++;
  const last = bytes.at(-1)!;
  return Math.max(0, 3 - dots) * 2 + Number(bytes.length === start || last === DOT);
}

/** How many bytes an IPv6 address lacks at least, before `::` stands for all groups that have not come. */
function restOfIPv6(bytes: Uint8Array, start: number): number {
  const { length } = bytes;
  if (length === start) return 2;
  let colons = 0;
  let gap = false;
  for (let i = start; i < length; i++) {
    if (bytes[i] === DOT) return 0;
    if (bytes[i] !== COLON) continue;
    colons++;
    if (i > start && bytes[i - 1] === COLON) gap = true;
  }
  if (bytes[length - 1] === COLON) return gap && bytes[length - 2] === COLON ? 0 : 1;
  return gap || colons >= 7 ? 0 : 2;
}
