/**
 * Thousands of connections of a limited listener that end in every way at once.
 *
 * @module
 */

import { limited } from "../support/bun/limited.ts";
import { testChaos } from "../support/bun/test_chaos.ts";
import { treatAll } from "../support/crowd.ts";

testChaos("limitedListener()", (kind, limiter, random) => {
  const listener = limited(kind, limiter);
  treatAll(listener, random);
  return { port: listener.addr.port, [Symbol.dispose]: () => listener.close() };
});
