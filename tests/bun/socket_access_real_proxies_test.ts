/**
 * Bun's listeners behind HAProxy and nginx.
 *
 * @module
 */

import { test } from "node:test";
import { BUN_ADAPTERS } from "../support/bun/proxy_adapters.ts";
import { nameOf, realRulesOf } from "../support/proxy/real_rules.ts";

for (const adapter of BUN_ADAPTERS.slice(0, 3)) {
  for (const [lack, name, run] of realRulesOf(adapter)) test(nameOf(name, lack), { skip: lack }, run);
}
