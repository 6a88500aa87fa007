/**
 * Servers of Node behind a proxy that speaks the PROXY protocol, on every runtime.
 *
 * @module
 */

import { test } from "node:test";
import { noUnixSockets } from "../support/platform.ts";
import { NODE_ADAPTERS } from "../support/proxy/node_adapters.ts";
import { rulesOf } from "../support/proxy/proxied_rules.ts";
import { unixRulesOf } from "../support/proxy/unix_rules.ts";

for (const adapter of NODE_ADAPTERS) {
  for (const [name, run] of rulesOf(adapter, adapter.name === "net")) test(name, run);
  for (const [name, run] of unixRulesOf(adapter)) test(name, { skip: noUnixSockets }, run);
}
