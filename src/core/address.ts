/**
 * IP addresses: strict parsing and canonical text.
 *
 * A limiter needs one reading of every address: two readings would count a client twice, or not at all. The parser
 * therefore accepts exactly the addresses that `isIP` of `node:net` accepts. Only its rule for zone ids differs.
 *
 * @module
 */

/**
 * An IPv4 address as an unsigned 32-bit number, or an IPv6 address. IPv4-mapped IPv6 addresses do not occur: the parser
 * turns them into IPv4 addresses.
 */
export type Address = number | IPv6;

/** An IPv6 address as four signed 32-bit words, with the zone id of a link-local address. */
export class IPv6 {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  /** The zone id without its `%`. Empty if there is none, or if the address is not link-local. */
  readonly zone: string;

  constructor(a: number, b: number, c: number, d: number, zone: string) {
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
    this.zone = zone;
  }
}

const DOT = 46;
const COLON = 58;
const DIGIT_0 = 48;

/** Six groups of four digits, six colons, and 15 characters of dotted decimal. The zone id is not included. */
const MAX_IPV6_LENGTH = 45;

/** An interface name or index. Linux limits names to 15 characters; 64 leaves room for other systems. */
const ZONE_ID = /^[^\s/%]{1,64}$/;

/** Scratch space of {@linkcode parseIPv6}. Calls share it, so that parsing allocates only its result. */
const groups = new Uint16Array(8);

/** Parses an IP address. Returns `undefined` if `text` is not one. Never throws. */
export function parseAddress(text: string): Address | undefined {
  const ipv4 = parseIPv4(text, 0);
  return ipv4 >= 0 ? ipv4 : parseIPv6(text);
}

/**
 * Parses dotted decimal from `start` to the end of `text`. Returns -1 if it is invalid. Leading zeros are invalid: some
 * systems read them as octal.
 */
function parseIPv4(text: string, start: number): number {
  const { length } = text;
  if (length - start > 15) return -1;
  let address = 0;
  let octet = -1;
  let dots = 0;
  for (let i = start; i < length; i++) {
    const code = text.charCodeAt(i);
    const digit = code - DIGIT_0;
    if (digit >= 0 && digit <= 9) {
      if (octet < 0) octet = digit;
      else if (octet === 0) return -1;
      else if ((octet = octet * 10 + digit) > 255) return -1;
    } else if (code === DOT && octet >= 0 && dots < 3) {
      address = address << 8 | octet;
      octet = -1;
      dots++;
    } else {
      return -1;
    }
  }
  return dots === 3 && octet >= 0 ? (address << 8 | octet) >>> 0 : -1;
}

function parseIPv6(text: string): Address | undefined {
  let end = text.indexOf("%");
  let zone = "";
  if (end < 0) {
    end = text.length;
  } else {
    zone = text.slice(end + 1);
    if (!ZONE_ID.test(zone)) return undefined;
  }
  if (end > MAX_IPV6_LENGTH || end < 2) return undefined;

  let count = 0;
  let gap = -1;
  let i = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return undefined;
    gap = 0;
    i = 2;
  }
  while (i < end) {
    if (count === 8) return undefined;
    const start = i;
    let group = 0;
    let code = 0;
    for (; i < end; i++) {
      code = text.charCodeAt(i);
      const digit = hexDigit(code);
      if (digit < 0) break;
      group = group << 4 | digit;
      if (i - start === 4) return undefined;
    }
    if (i < end && code === DOT) {
      if (count > 6) return undefined;
      const tail = parseIPv4(end === text.length ? text : text.slice(0, end), start);
      if (tail < 0) return undefined;
      groups[count++] = tail >>> 16;
      groups[count++] = tail & 0xffff;
      break;
    }
    if (i === start) return undefined;
    groups[count++] = group;
    if (i === end) break;
    if (code !== COLON || ++i === end) return undefined;
    if (text.charCodeAt(i) === COLON) {
      if (gap >= 0) return undefined;
      gap = count;
      i++;
    }
  }
  if (gap < 0) {
    if (count !== 8) return undefined;
  } else {
    if (count > 7) return undefined;
    const shift = 8 - count;
    for (let from = count - 1; from >= gap; from--) groups[from + shift] = groups[from]!;
    for (let at = gap; at < gap + shift; at++) groups[at] = 0;
  }
  return fromGroups(zone);
}

function fromGroups(zone: string): Address {
  const a = groups[0]! << 16 | groups[1]!;
  const b = groups[2]! << 16 | groups[3]!;
  const c = groups[4]! << 16 | groups[5]!;
  const d = groups[6]! << 16 | groups[7]!;
  // The bits decide, not the notation: "::ffff:7f00:1" and "::FFFF:127.0.0.1" are both 127.0.0.1.
  if (a === 0 && b === 0 && c === 0xffff) return d >>> 0;
  // A zone id names an interface. Only link-local addresses repeat from one interface to the next.
  return new IPv6(a, b, c, d, isLinkLocal(a) ? zone : "");
}

function isLinkLocal(firstWord: number): boolean {
  return (firstWord & 0xffc00000) === (0xfe800000 | 0);
}

function hexDigit(code: number): number {
  if (code >= DIGIT_0 && code <= 57) return code - DIGIT_0;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Formats an address canonically. IPv6 follows RFC 5952: lower case, the longest run of zero groups as `::`. */
export function formatAddress(address: Address): string {
  if (typeof address === "number") {
    return `${address >>> 24}.${address >>> 16 & 255}.${address >>> 8 & 255}.${address & 255}`;
  }
  const parts: number[] = [];
  for (const word of [address.a, address.b, address.c, address.d]) parts.push(word >>> 16, word & 0xffff);
  const run = longestZeroRun(parts);
  const hex = parts.map((part) => part.toString(16));
  const text = run.length < 2
    ? hex.join(":")
    : `${hex.slice(0, run.start).join(":")}::${hex.slice(run.start + run.length).join(":")}`;
  return address.zone === "" ? text : `${text}%${address.zone}`;
}

function longestZeroRun(parts: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < parts.length; start++) {
    let length = 0;
    while (parts[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
