import { test } from "node:test";
import { assertStrictEquals } from "@std/assert";
import { crc32c } from "../../src/proxy/crc32c.ts";
import { bytes } from "../support/proxy/headers.ts";

test("crc32c() is that of RFC 9260 and of RFC 3720, section B.4", () => {
  assertStrictEquals(crc32c(bytes("123456789")), 0xe3069283);
  assertStrictEquals(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assertStrictEquals(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
  assertStrictEquals(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  assertStrictEquals(crc32c(new Uint8Array(0)), 0);
});

test("crc32c() takes four bytes for zeros", () => {
  const zeros = bytes("1234\0\0\0\0efgh");
  assertStrictEquals(crc32c(bytes("1234abcdefgh"), 4), crc32c(zeros));
});
