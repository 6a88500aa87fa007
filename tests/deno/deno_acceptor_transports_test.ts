/**
 * What is particular to Deno: Unix sockets, TLS, and a process that is out of file descriptors.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { kill } from "../support/deno/kill.ts";
import { testUnless } from "../support/test_unless.ts";
import { Folder } from "../support/folder.ts";
import { echoAll } from "../support/listeners.ts";
import { certificate, connectFrom, ended, eventually, within } from "../support/net.ts";
import { noPosix, noUnixSockets } from "../support/platform.ts";

testUnless(noUnixSockets, "limitedListener() counts all peers of a Unix socket as one client", async () => {
  using folder = new Folder();
  const path = folder.file();
  using listener = limitedListener(Deno.listen({ transport: "unix", path }), { maxPerClient: 2 });
  assertStrictEquals(listener.addr.path, path);
  const serving = echoAll(listener);
  const clients = await Promise.all([1, 2, 3].map(() => Deno.connect({ transport: "unix", path })));
  await eventually(() => listener.limiter.stats().refused === 1, "one to be refused");
  assertEquals([...listener.limiter.clients()], [{ client: "unix", open: 2 }]);
  for (const client of clients) client.close();
  await within(listener.limiter.idle(), "the limiter to be idle");
  listener.close();
  await serving;
});

Deno.test("limitedListener() over Deno.listenTls() limits, and frees at the end of the streams", async () => {
  const { cert, key } = certificate();
  using listener = limitedListener(Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }), { maxPerClient: 1 });
  const serving = echoAll(listener);
  const connect = () => Deno.connectTls({ hostname: "localhost", port: listener.addr.port, caCerts: [cert] });
  for (let i = 0; i < 2; i++) {
    using client = await connect();
    await client.write(new TextEncoder().encode("echo"));
    assertStrictEquals(await client.read(new Uint8Array(8)), 4);
    using refused = await connect();
    // Deno's blind spot: the handshake of a refused connection still takes place.
    await refused.handshake();
    assertStrictEquals(await refused.read(new Uint8Array(8)).catch(() => null), null);
    assertStrictEquals(listener.limiter.open, 1);
    client.close();
    await within(listener.limiter.idle(), "the limiter to be idle");
  }
  // A client that is no TLS client at all.
  using garbage = await connectFrom("127.0.0.1", listener.addr.port);
  garbage.socket.write("GET / HTTP/1.1\r\n\r\n");
  await ended(garbage);
  await within(listener.limiter.idle(), "the limiter to be idle");
  listener.close();
  await serving;
});

testUnless(
  noPosix,
  "limitedListener() survives having no file descriptors left, without spinning, and recovers",
  async () => {
    const script = fileURLToPath(new URL("../support/deno/exhausted_server.ts", import.meta.url));
    const child = new Deno.Command("sh", {
      args: ["-c", `ulimit -n 64 && exec "$0" run -A --quiet "$1"`, Deno.execPath(), script],
      stdout: "piped",
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(splitLines()).getReader();
    const read = async () => JSON.parse((await within(lines.read(), "the server")).value!);
    const readUntil = async (condition: (state: Awaited<ReturnType<typeof read>>) => boolean, what: string) => {
      let state: Awaited<ReturnType<typeof read>>;
      await eventually(async () => condition(state = await read()), what);
      return state;
    };

    try {
      const port = await read();
      const clients = await Promise.all(Array.from({ length: 100 }, () => connectFrom("127.0.0.1", port)));
      const exhausted = await readUntil(({ errors }) => errors >= 3, "accepts to fail");
      assert(exhausted.open > 20 && exhausted.open < 64, `${exhausted.open} open`);
      assertStrictEquals(exhausted.code, "EMFILE");
      assertStrictEquals(exhausted.acceptErrors, exhausted.errors);

      // A few waits are short, and then there is one try in 200 ms, by the server's own clock; a loop that spins has tens of
      // thousands.
      const later = await readUntil(({ time }) => time >= exhausted.time + 500, "half a second to pass");
      const [errors, tries] = [later.errors - exhausted.errors, 5 + (later.time - exhausted.time) / 200];
      assert(errors <= tries, `${errors} errors where there should be ${tries} at most`);

      for (const client of clients.splice(0, 60)) client[Symbol.dispose]();
      await readUntil(({ admitted }) => admitted === 100, "the clients in the queue to be accepted");
      for (const client of clients) client[Symbol.dispose]();
      await readUntil(({ open }) => open === 0, "all to be gone");
      using client = await connectFrom("127.0.0.1", port);
      client.socket.end("echo");
      assertStrictEquals(await ended(client), "echo");
    } finally {
      kill(child, "SIGKILL");
      await child.status;
      await lines.cancel();
    }
  },
);

function splitLines(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) controller.enqueue(line);
    },
  });
}
