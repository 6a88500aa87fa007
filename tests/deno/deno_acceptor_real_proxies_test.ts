/**
 * Limited listeners of Deno behind HAProxy and nginx.
 *
 * @module
 */

import { test } from "node:test";
import { DENO_ADAPTERS } from "../support/deno/proxy_adapters.ts";
import { nameOf, realRulesOf } from "../support/proxy/real_rules.ts";

for (const adapter of DENO_ADAPTERS) {
  for (const [lack, name, run] of realRulesOf(adapter)) test(nameOf(name, lack), { skip: lack }, run);
}
