/**
 * A stand-in for `@std/net` where JSR cannot be reached: the one function that the tests use.
 *
 * @module
 */

/** A TCP port that nobody listens on now: the preferred one if that is so. */
export function getAvailablePort({ preferredPort = 0 }: { preferredPort?: number } = {}): number {
  try {
    using listener = Deno.listen({ hostname: "0.0.0.0", port: preferredPort });
    return listener.addr.port;
  } catch (error) {
    if (preferredPort === 0) throw error;
    return getAvailablePort();
  }
}
