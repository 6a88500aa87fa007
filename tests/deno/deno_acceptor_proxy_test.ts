/**
 * Limited listeners of Deno behind a proxy that speaks the PROXY protocol.
 *
 * @module
 */

import { DENO_ADAPTERS } from "../support/deno/proxy_adapters.ts";
import { rulesOf } from "../support/proxy/proxied_rules.ts";

for (const adapter of DENO_ADAPTERS) {
  for (const [name, run] of rulesOf(adapter, true)) Deno.test(name, run);
}
