import { test } from "node:test";
import { assertStrictEquals } from "@std/assert";
import { classifyAcceptError } from "../../src/deno/classify_accept_error.ts";

test("classifyAcceptError() tells a closed listener, a second accept and exhaustion from a failed connection", () => {
  const withCode = (code: string) => Object.assign(new Error(code), { code });
  assertStrictEquals(classifyAcceptError(new Deno.errors.BadResource("Listener has been closed")), "closed");
  assertStrictEquals(classifyAcceptError(new Deno.errors.Busy("Another accept task is ongoing")), "busy");
  for (const code of ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]) {
    assertStrictEquals(classifyAcceptError(withCode(code)), "exhausted", code);
  }
  for (const code of ["ENOTCONN", "ECONNABORTED", "ECONNRESET", "EPERM", "EPROTO"]) {
    assertStrictEquals(classifyAcceptError(withCode(code)), "connection", code);
  }
  assertStrictEquals(classifyAcceptError(new Deno.errors.NotConnected("reset")), "connection");
  // Only the listener's own end may end the loop: an interrupted accept is tried again.
  assertStrictEquals(classifyAcceptError(new Deno.errors.Interrupted("operation canceled")), "connection");
  assertStrictEquals(classifyAcceptError("not an error"), "connection");
  assertStrictEquals(classifyAcceptError(undefined), "connection");
});
