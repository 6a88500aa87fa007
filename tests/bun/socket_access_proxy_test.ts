/**
 * Bun's listeners behind a proxy that speaks the PROXY protocol.
 *
 * @module
 */

import { test } from "node:test";
import { BUN_ADAPTERS } from "../support/bun/proxy_adapters.ts";
import { noUnixSockets } from "../support/platform.ts";
import { rulesOf } from "../support/proxy/proxied_rules.ts";
import { unixRulesOf } from "../support/proxy/unix_rules.ts";

for (const adapter of BUN_ADAPTERS) {
  for (const [name, run] of rulesOf(adapter, ["listen()", "callbacks"].includes(adapter.name))) test(name, run);
  for (const [name, run] of unixRulesOf(adapter)) test(name, { skip: noUnixSockets }, run);
}
