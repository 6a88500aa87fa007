/**
 * Servers of Node behind HAProxy and nginx, on every runtime.
 *
 * @module
 */

import { test } from "node:test";
import { NODE_ADAPTERS } from "../support/proxy/node_adapters.ts";
import { nameOf, realRulesOf } from "../support/proxy/real_rules.ts";

for (const adapter of NODE_ADAPTERS) {
  if (adapter.tls) continue;
  for (const [lack, name, run] of realRulesOf(adapter)) test(nameOf(name, lack), { skip: lack }, run);
}
