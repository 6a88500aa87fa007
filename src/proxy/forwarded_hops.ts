/**
 * The hops of a request, as headers list them: from the client on the left to the last proxy's peer on the right.
 *
 * Everything is read from the right, so that what a client has written is not even looked at.
 *
 * @module
 */

import { type Address, formatAddress, parseAddress } from "../core/address.ts";
import type { IsTrusted } from "./trusted.ts";

/** The most entries that are read. It bounds what someone inside a trusted network can make a request cost. */
const MAX_HOPS = 32;

/** How a header lists hops. */
export interface HopFormat {
  /** The index at which the entry starts that ends before `end`. */
  startOf(text: string, end: number): number;
  /** The node that an entry names, if it names one. */
  nodeOf(entry: string): string | undefined;
}

/** `X-Forwarded-For`: addresses with commas between them. Headers with one address are read alike. */
export const LIST_FORMAT: HopFormat = {
  startOf: (text, end) => end === 0 ? 0 : text.lastIndexOf(",", end - 1) + 1,
  nodeOf: (entry) => entry,
};

/** `Forwarded`: elements such as `for="[2001:db8::1]:4711";proto=https`. (RFC 7239, section 4) */
export const FORWARDED_FORMAT: HopFormat = { startOf: startOfElement, nodeOf: nodeOfElement };

/** Finds the client behind a trusted peer. Returns its canonical address, or nothing if that is the peer. */
export function clientBehind(text: string, format: HopFormat, isTrusted: IsTrusted): string | undefined {
  let client: Address | undefined;
  let node: string | undefined;
  let end = text.length;
  for (let entries = 0; entries < MAX_HOPS && end >= 0; entries++) {
    const start = format.startOf(text, end);
    const entry = text.slice(start, end).trim();
    end = start - 1;
    if (entry === "") continue;
    const found = format.nodeOf(entry);
    const address = addressOf(found);
    if (address === undefined) break;
    client = address;
    node = found!;
    if (!isTrusted(address)) break;
  }
  // IPv4 without a port is canonical, since leading zeros are invalid.
  if (typeof client === "number" && !node!.includes(":")) return node;
  return client === undefined ? undefined : formatAddress(client);
}

/** An IPv4 address or a bracketed IPv6 address, and a port or a name for one. (RFC 7239, section 6) */
const NODE = /^(?:\[([^\]]+)\]|([0-9.]+))(?::(?:[0-9]{1,5}|_[\w.-]+))?$/;

/** The address of a node, with or without a port. IPv6 needs no brackets where there is none. */
function addressOf(node: string | undefined): Address | undefined {
  if (node === undefined) return undefined;
  const address = parseAddress(node);
  if (address !== undefined) return address;
  const [, ipv6, ipv4] = NODE.exec(node) ?? [];
  if (ipv6 !== undefined) return ipv6.includes(":") ? parseAddress(ipv6) : undefined;
  return ipv4 === undefined ? undefined : parseAddress(ipv4);
}

const QUOTE = 34;
const COMMA = 44;
const SEMICOLON = 59;
const BACKSLASH = 92;

/** Finds the comma before an element. Commas inside quotes are none, and from the right quotes nest as from the left. */
function startOfElement(text: string, end: number): number {
  let quoted = false;
  for (let at = end - 1; at >= 0; at--) {
    const code = text.charCodeAt(at);
    if (code === COMMA && !quoted) return at + 1;
    if (code === QUOTE && !isEscaped(text, at)) quoted = !quoted;
  }
  return 0;
}

/** Whether a character follows an odd number of backslashes. */
function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

/** A parameter up to its value, and a value without quotes. The latter is wider than a token: nodes often lack quotes. */
const NAME = /[\t ]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=/y;
const VALUE = /[^\t ;,"\\]*/y;

/** The value of an element's `for`. None if it occurs twice, or if any of the element is malformed. */
function nodeOfElement(element: string): string | undefined {
  let node: string | undefined;
  for (let at = 0; at < element.length; at++) {
    // Nothing may stand between two semicolons.
    if (element.charCodeAt(at) === SEMICOLON) continue;
    NAME.lastIndex = at;
    const name = NAME.exec(element)?.[1]?.toLowerCase();
    if (name === undefined) return undefined;
    const start = NAME.lastIndex;
    const quoted = element.charCodeAt(start) === QUOTE;
    const end = quoted ? endOfQuoted(element, start) : endOfValue(element, start);
    if (end < 0) return undefined;
    if (name === "for") {
      if (node !== undefined) return undefined;
      node = quoted ? element.slice(start + 1, end - 1).replace(/\\(.)/gs, "$1") : element.slice(start, end);
    }
    at = end;
    while (element.charCodeAt(at) === 32 || element.charCodeAt(at) === 9) at++;
    if (at < element.length && element.charCodeAt(at) !== SEMICOLON) return undefined;
  }
  return node;
}

/** The index after the quote that ends a quoted text, or -1. */
function endOfQuoted(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
  return -1;
}

function endOfValue(text: string, start: number): number {
  VALUE.lastIndex = start;
  VALUE.test(text);
  return VALUE.lastIndex;
}
