/**
 * Limited listeners of Deno behind a proxy that speaks the PROXY protocol.
 *
 * @module
 */

import { assertStrictEquals, assertThrows } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { proxyProtocol } from "@connlimit/connlimit/proxy";
import { DENO_ADAPTERS } from "../support/deno/proxy_adapters.ts";
import { echoAll } from "../support/listeners.ts";
import { certificate } from "../support/net.ts";
import { noUnixSockets } from "../support/platform.ts";
import { rulesOf } from "../support/proxy/proxied_rules.ts";
import { unixRulesOf } from "../support/proxy/unix_rules.ts";
import { testUnless } from "../support/test_unless.ts";

for (const adapter of DENO_ADAPTERS) {
  for (const [name, run] of rulesOf(adapter, true)) Deno.test(name, run);
  for (const [name, run] of unixRulesOf(adapter)) testUnless(noUnixSockets, name, run);
}

Deno.test("limitedListener() over Deno.listenTls() rejects a client option, says what to use, and then takes none", async () => {
  const { cert, key } = certificate();
  const native = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  for (const untrusted of ["refuse", "direct"] as const) {
    const client = proxyProtocol({ trusted: ["127.0.0.1"], untrusted });
    assertThrows(
      () => limitedListener(native, {}, { client }),
      TypeError,
      "a header comes before the handshake, which the runtime has begun; limit a server of node:tls or node:https " +
        "with limitServer()",
    );
  }
  using listener = limitedListener(native, { maxPerClient: 1 });
  const serving = echoAll(listener);
  using client = await Deno.connectTls({ hostname: "localhost", port: listener.addr.port, caCerts: [cert] });
  await client.write(new TextEncoder().encode("echo"));
  assertStrictEquals(await client.read(new Uint8Array(8)), 4);
  listener.close();
  client.close();
  await serving;
});
