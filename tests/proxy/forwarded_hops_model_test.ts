/**
 * The reading of forwarded headers, compared with a naive one that goes from left to right over all of a header.
 *
 * @module
 */

import { isIP, isIPv4 } from "node:net";
import { test } from "node:test";
import { assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { forwarded } from "@connlimit/connlimit/proxy";
import { formatAddress, parseAddress } from "../../src/core/address.ts";

const PROXY = "10.0.0.2";

/** Splits at a separator that is not inside of quotes. */
function split(text: string, separator: string): string[] {
  const parts = [""];
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === separator && !quoted) parts.push("");
    else parts[parts.length - 1] += char === "\\" && quoted ? char + (text[++at] ?? "") : char;
    if (char === '"') quoted = !quoted;
  }
  return parts;
}

function naiveNode(element: string): string | undefined {
  let node: string | undefined;
  for (const pair of split(element, ";")) {
    if (pair === "") continue;
    const match = /^[\t ]*([!#$%&'*+.^`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\t ;,"\\]*))[\t ]*$/s.exec(pair);
    if (match === null) return undefined;
    if (match[1]!.toLowerCase() !== "for") continue;
    if (node !== undefined) return undefined;
    node = match[2] === undefined ? match[3] : match[2].replace(/\\(.)/gs, "$1");
  }
  return node;
}

/** Zones are anything here. Runtimes differ in what they take for one. */
function isIPv6(text: string): boolean {
  return isIP(text.replace(/%[^\s/%]{1,64}$/, "")) === 6;
}

function naiveAddress(node: string): string | undefined {
  const [, inner, ipv4] = /^(?:\[([^\]]*)\]|([^:]*))(?::(?:\d{1,5}|_[\w.-]+))?$/s.exec(node) ?? [];
  const text = isIPv6(node) || isIPv4(node)
    ? node
    : inner !== undefined
    ? isIPv6(inner) && inner
    : isIPv4(ipv4!) && ipv4;
  return text ? formatAddress(parseAddress(text)!) : undefined;
}

/** What the naive reader finds behind the proxy. */
function naive(elements: readonly string[], nodeOf: (element: string) => string | undefined): string {
  let client = PROXY;
  for (const element of elements.map((text) => text.replace(/^[\t ]+|[\t ]+$/g, "")).reverse()) {
    if (element === "") continue;
    const node = nodeOf(element);
    const address = node === undefined ? undefined : naiveAddress(node);
    if (address === undefined) return client;
    client = address;
    if (!client.startsWith("10.")) return client;
  }
  return client;
}

const ipv4 = fc.oneof(fc.ipV4(), fc.nat(255).map((last) => `10.0.0.${last}`));
const ipv6 = fc.oneof(fc.ipV6(), ipv4.map((text) => `::ffff:${text}`), fc.constantFrom("fe80::1", "2001:DB8::7"));
const garbage = fc.string({ unit: fc.constantFrom(...'10.:[]af%_;=,"\\ \tfor-'), maxLength: 24 });
const port = fc.oneof(fc.constant(""), fc.nat(99_999).map((port) => `:${port}`), fc.constantFrom(":_p", ":", ":x"));
const node = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(ipv4, port).map((parts) => parts.join("")) },
  { weight: 4, arbitrary: fc.tuple(ipv6, port).map(([address, port]) => `[${address}]${port}`) },
  { weight: 2, arbitrary: ipv6 },
  { weight: 1, arbitrary: fc.constantFrom("unknown", "_hidden", "", "[10.0.0.1]", "10.0.0.01") },
  { weight: 1, arbitrary: garbage },
);
const space = fc.constantFrom("", "", " ", "\t ");

/** A pair of a `Forwarded` element whose value is quoted, some characters of it escaped, or as it is. */
const pair = fc.tuple(
  fc.constantFrom("for", "For", "for", "by", "proto"),
  node,
  fc.constantFrom("bare", "quoted", "escaped"),
)
  .map(([name, value, style]) => {
    if (style === "bare") return `${name}=${value}`;
    const text = value.replace(style === "escaped" ? /./gs : /["\\]/g, "\\$&");
    return `${name}="${text}"`;
  });
const element = fc.tuple(space, fc.array(pair, { minLength: 1, maxLength: 3 }), space)
  .map(([before, pairs, after]) => before + pairs.join(";") + after);

const options = { numRuns: 20_000 };
const clientOf = (header: string) => {
  const resolve = forwarded({ header, trusted: ["10.0.0.0/8"] });
  return (value: string) => resolve({ headers: { [header]: value } }, PROXY);
};

test("X-Forwarded-For is read as a naive reader does", () => {
  const find = clientOf("x-forwarded-for");
  const entry = fc.tuple(space, node, space).map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 6 }), (entries) => {
      const value = entries.join(",");
      assertStrictEquals(find(value), naive(value.split(","), (entry) => entry));
    }),
    options,
  );
});

test("Forwarded is read as a naive reader does, if its elements are well-formed", () => {
  const find = clientOf("forwarded");
  fc.assert(
    fc.property(fc.array(element, { maxLength: 6 }), (elements) => {
      // Elements with stray quotes or commas are the next test's.
      fc.pre(elements.every((element) => split(element, ",").length === 1 && isBalanced(element)));
      assertStrictEquals(find(elements.join(",")), naive(elements, naiveNode));
    }),
    options,
  );
});

test("Forwarded is read alike whatever stands to the left of what proxies have written", () => {
  const find = clientOf("forwarded");
  const client = fc.tuple(
    fc.ipV4().filter((text) => !text.startsWith("10.")),
    fc.constantFrom("", ';by="a,\\"b"', ";proto=x"),
  );
  fc.assert(
    fc.property(garbage, client, fc.nat(3), (left, [address, more], hops) => {
      const right = [`for=${address}${more}`, ...Array(hops).fill('for="10.0.0.3:80"')];
      assertStrictEquals(find([left, ...right].join(",")), address);
    }),
    options,
  );
});

/** Whether quotes and backslashes stand only where they belong, so that both directions see the same quoted texts. */
function isBalanced(element: string): boolean {
  return /^(?:[^"\\]|"(?:[^"\\]|\\.)*")*$/s.test(element);
}
