/**
 * A second parser of the PROXY protocol, written to be read and not to be fast: with regular expressions, texts, and the
 * addresses of `node:net`.
 *
 * @module
 */

import { isIPv4, isIPv6 } from "node:net";

/** What a header says, as far as the two parsers are compared. */
export interface Naive {
  readonly version: number;
  readonly command: string;
  readonly length: number;
  readonly source?: string | undefined;
  readonly tlvs: readonly string[];
}

const LINE = /^PROXY (?:(TCP4|TCP6) (\S+) (\S+) (\d+) (\d+)|UNKNOWN(?: [^\r\n]*)?)\r\n/;

/** Parses what a connection begins with. Returns `undefined` if that is not a whole valid header. */
export function parseNaively(bytes: Uint8Array, maxHeader: number): Naive | undefined {
  const text = String.fromCharCode(...bytes.subarray(0, maxHeader));
  return text.startsWith("PROXY") ? lineOf(text.slice(0, 107)) : binaryOf(bytes, text, maxHeader);
}

function lineOf(text: string): Naive | undefined {
  const match = LINE.exec(text);
  if (match === null) return undefined;
  const [line, family, source = "", destination = "", sourcePort = "", destinationPort = ""] = match;
  const header = { version: 1, command: "PROXY", length: line.length, tlvs: [] };
  if (family === undefined) return header;
  const isAddress = family === "TCP4" ? isIPv4 : (address: string) => isIPv6(address) && !address.includes("%");
  if (![source, destination].every(isAddress) || ![sourcePort, destinationPort].every(isPort)) return undefined;
  return { ...header, source: `${canonical(source)} ${sourcePort}` };
}

function isPort(text: string): boolean {
  return String(Number(text)) === text && Number(text) < 65_536;
}

/** By way of a URL, which has one form for every address. Mapped addresses are written as what they stand for. */
function canonical(address: string): string {
  if (isIPv4(address)) return address;
  const host = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(host);
  if (mapped === null) return host;
  const [high, low] = mapped.slice(1).map((group) => parseInt(group, 16)) as [number, number];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

const SIZES: Readonly<Record<number, number>> = {
  0x00: 0,
  0x11: 12,
  0x12: 12,
  0x21: 36,
  0x22: 36,
  0x31: 216,
  0x32: 216,
};

function binaryOf(bytes: Uint8Array, text: string, maxHeader: number): Naive | undefined {
  if (!text.startsWith("\r\n\r\n\0\r\nQUIT\n") || bytes.length < 16) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = 16 + view.getUint16(14);
  if (length > maxHeader || length > bytes.length) return undefined;
  if (bytes[12] === 0x20) return { version: 2, command: "LOCAL", length, tlvs: [] };
  const size = SIZES[bytes[13]!];
  if (bytes[12] !== 0x21 || size === undefined || length < 16 + size) return undefined;
  const tlvs: string[] = [];
  const checksums: number[] = [];
  let rest = text.slice(16 + size, length);
  while (rest !== "") {
    if (rest.length < 3) return undefined;
    const end = 3 + rest.charCodeAt(1) * 256 + rest.charCodeAt(2);
    const value = rest.slice(3, end);
    if (rest.length < end) return undefined;
    if (rest.charCodeAt(0) === 3) {
      if (value.length !== 4) return undefined;
      checksums.push(length - rest.length + 3);
    }
    tlvs.push(`${rest.charCodeAt(0)} ${value}`);
    rest = rest.slice(end);
  }
  if (checksums.length > 1) return undefined;
  for (const at of checksums) {
    if (crcByBits(bytes.slice(0, length).fill(0, at, at + 4)) !== view.getUint32(at)) return undefined;
  }
  const header = { version: 2, command: "PROXY", length, tlvs };
  if (bytes[13] === 0x11) {
    return { ...header, source: `${[...bytes.subarray(16, 20)].join(".")} ${view.getUint16(24)}` };
  }
  if (bytes[13] !== 0x21) return header;
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(16 + 2 * i).toString(16));
  return { ...header, source: `${canonical(groups.join(":"))} ${view.getUint16(48)}` };
}

/** The checksum, bit by bit. */
function crcByBits(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const odd = (crc ^ byte >> bit) & 1;
      crc = crc >>> 1 ^ odd * 0x82f63b78;
    }
  }
  return ~crc >>> 0;
}
