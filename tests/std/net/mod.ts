/**
 * A stand-in for `@std/net` where JSR cannot be reached: the one function that the tests use.
 *
 * @module
 */

/** A TCP port that nobody listens on now. */
export function getAvailablePort(): number {
  using listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  return listener.addr.port;
}
