/**
 * What the compiler says of mistakes: its first line names the option. And what it has to let pass.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../support/with_server.ts";

const IMPORTS = `
import { type ConnLike, limitedListener, Limiter, type ListenerLike } from "@connlimit/connlimit";
import { limitRequests } from "@connlimit/connlimit/http";
import { limitServer } from "@connlimit/connlimit/node";
import { createServer } from "node:net";
`;

/** Checks a program on Deno. Returns what is wrong with it, a line each. */
async function check(program: string): Promise<string[]> {
  const folder = fileURLToPath(new URL("tests/examples/", ROOT));
  const file = await Deno.makeTempFile({ dir: folder, suffix: ".mts" });
  try {
    await Deno.writeTextFile(file, IMPORTS + program);
    const { stderr, success } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", file],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
    }).output();
    const lines = new TextDecoder().decode(stderr).split("\n");
    return success ? [] : lines;
  } finally {
    await Deno.remove(file);
  }
}

const NO_OPTION = "Object literal may only specify known properties";

for (
  const [name, program, option] of [
    ["a limit of limitedListener()", "limitedListener(Deno.listen({ port: 0 }), { maxPerClien: 1 });", "maxPerClien"],
    ["an option of limitedListener()", "limitedListener(Deno.listen({ port: 0 }), {}, { onRefuse() {} });", "onRefuse"],
    ["a limit of limitServer()", "limitServer(createServer(), { maxTotla: 1 });", "maxTotla"],
    ["a limit of limitRequests()", "limitRequests({ maxPerClients: 1 }, () => new Response());", "maxPerClients"],
    ["an option of limitRequests()", "limitRequests({}, () => new Response(), { clients: () => '' });", "clients"],
  ] as const
) {
  Deno.test(`The compiler's first line names a typo in ${name}`, async () => {
    const [first] = await check(program);
    assertStringIncludes(first!, NO_OPTION);
    assertStringIncludes(first!, `'${option}'`);
  });
}

Deno.test("The compiler lets pass what the functions take", async () => {
  assertEquals(
    await check(`
      declare const tls: Deno.ListenTlsOptions & Deno.TlsCertifiedKeyPem;
      declare const request: { readonly ip: string | undefined };
      const either = limitedListener(Math.random() < 0.5 ? Deno.listenTls(tls) : Deno.listen({ port: 0 }));
      for await (const conn of either) conn satisfies Deno.TlsConn | Deno.TcpConn;
      const unix = limitedListener(Deno.listen({ transport: "unix", path: "" }));
      for await (const conn of unix) conn satisfies Deno.UnixConn;
      unix.addr.path satisfies string;
      const tcp = limitedListener(Deno.listen({ port: 0 }), {}, {
        onRefused: (_, conn) => conn satisfies Deno.TcpConn,
      });
      tcp.limiter.setLimits({ maxPerClient: 1 });
      tcp.addr.port satisfies number;
      new Limiter().tryAccept(request.ip);
      limitRequests({}, (_, info) => new Response(info.remoteAddr.hostname));
      Deno.serve(limitRequests({}, (request, info) => {
        request satisfies Request;
        info.remoteAddr satisfies Deno.NetAddr;
        // @ts-expect-error -- its type is known here
        info.nothing;
        return new Response();
      }));
      function wrap<C extends ConnLike, A>(listener: ListenerLike<C, A>) {
        return limitedListener(listener, { maxPerClient: 1 }).limiter;
      }
      wrap(Deno.listen({ port: 0 })).stats();
    `),
    [],
  );
});
