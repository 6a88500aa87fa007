/**
 * What is wrong with a client that is none, in words that lead to the mend.
 *
 * @module
 */

import { test } from "node:test";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { faultOf } from "../../src/admission/unknown_client.ts";

const ADDRESS = "return the address without port and brackets";
const CLIENT = "return an address, or { key } for a client that is not an address";
const TEXT = "return an address as text, or { key } with text that is not empty";
const HEADER = "does the proxy set the header that client reads, and does forwarded() have it in its option trusted?";

const FAULTS: readonly [client: unknown, got: string, remedy: string][] = [
  ["203.0.113.7:4711", '"203.0.113.7:4711"', ADDRESS],
  ["[2001:db8::7]:4711", '"[2001:db8::7]:4711"', ADDRESS],
  ["[2001:db8::7]", '"[2001:db8::7]"', ADDRESS],
  ["192.0.2.1, 203.0.113.7", '"192.0.2.1, 203.0.113.7"', "return one address of the list"],
  [" 203.0.113.7", '" 203.0.113.7"', "return the address without the spaces around it"],
  ["", '""', CLIENT],
  ["unknown", '"unknown"', CLIENT],
  ["ann@example.org", '"ann@example.org"', CLIENT],
  [undefined, "undefined", HEADER],
  [null, "null", HEADER],
  [Promise.resolve("203.0.113.7"), "a promise", "client must return the client at once"],
  [{ key: "" }, "an object", TEXT],
  [{ address: "203.0.113.7" }, "an object", TEXT],
  [["203.0.113.7"], "an array", TEXT],
  [7, "7", TEXT],
];

test("faultOf() names the value and the remedy", () => {
  for (const [client, got, remedy] of FAULTS) {
    assertEquals(faultOf(client), {
      remedy,
      message: `client returned ${got}, so the request is refused as "unknown-address"; ${remedy}`,
    });
  }
});

test("faultOf() has one line for a value of any length and with any characters", () => {
  for (const client of ["x".repeat(1_000_000), "a\r\nb", "\x1b[31mred", "[".repeat(100_000), "1".repeat(100_000)]) {
    const { message } = faultOf(client);
    assertLessOrEqual(message.length, 250);
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x1f]/.test(message), message);
  }
});
