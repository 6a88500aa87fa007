import { test } from "node:test";
import { assertStrictEquals } from "@std/assert";
import { classify } from "../../src/deno/accept_error.ts";

test("classify() tells a closed listener, a second accept and exhaustion from a failed connection", () => {
  const withCode = (code: string) => Object.assign(new Error(code), { code });
  assertStrictEquals(classify(new Deno.errors.BadResource("Listener has been closed")), "closed");
  assertStrictEquals(classify(new Deno.errors.Busy("Another accept task is ongoing")), "busy");
  for (const code of ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]) {
    assertStrictEquals(classify(withCode(code)), "exhausted", code);
  }
  for (const code of ["ENOTCONN", "ECONNABORTED", "ECONNRESET", "EPERM", "EPROTO"]) {
    assertStrictEquals(classify(withCode(code)), "connection", code);
  }
  assertStrictEquals(classify(new Deno.errors.NotConnected("reset")), "connection");
  // Only the listener's own end may end the loop: an interrupted accept is tried again.
  assertStrictEquals(classify(new Deno.errors.Interrupted("operation canceled")), "connection");
  assertStrictEquals(classify("not an error"), "connection");
  assertStrictEquals(classify(undefined), "connection");
});
