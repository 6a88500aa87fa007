/**
 * A process runs out of file descriptors, and recovers.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { assert, assertStrictEquals } from "@std/assert";
import { kill } from "../support/deno/kill.ts";
import { testUnless } from "../support/test_unless.ts";
import { connectFrom, ended, eventually, within } from "../support/net.ts";
import { noPosix } from "../support/platform.ts";

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
