/**
 * Servers of Node behind a proxy that speaks the PROXY protocol, on every runtime.
 *
 * @module
 */

import { test } from "node:test";
import { NODE_ADAPTERS } from "../support/proxy/node_adapters.ts";
import { rulesOf } from "../support/proxy/proxied_rules.ts";

for (const adapter of NODE_ADAPTERS) {
  for (const [name, run] of rulesOf(adapter, adapter.name === "net")) test(name, run);
}
