/**
 * Faults of the runtimes that end a server or leave a client waiting, with limits and without. SECURITY.md says what to use
 * instead.
 *
 *   deno task stress:runtimes [--trials N]
 *
 * A line each says how often the fault was seen. The exit code is 0 either way: a fault that is gone is good news.
 *
 * @module
 */

import { connect } from "node:net";
import { parseArgs } from "node:util";
import { type RuntimeName, RUNTIMES } from "../../testing/runtimes.ts";

const { values } = parseArgs({ args: Deno.args, options: { trials: { type: "string", default: "10" } } });
const trials = Number(values.trials);

/** A server's program. Its first line is its port. */
interface Program extends AsyncDisposable {
  readonly port: number;
  /** Whether it ends within some time. */
  endsWithin(milliseconds: number): Promise<boolean>;
}

async function start(runtime: RuntimeName, file: string): Promise<Program> {
  const { command, args } = await RUNTIMES[runtime]();
  const run = runtime === "Deno" ? ["run", "--quiet", "-A"] : [];
  const child = new Deno.Command(command, {
    args: [...args, ...run, new URL(file, import.meta.url).pathname],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await lines.read();
  return {
    port: Number(value),
    async endsWithin(milliseconds) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<boolean>((resolve) => timer = setTimeout(resolve, milliseconds, false));
      return await Promise.race([child.status.then(() => true), late]).finally(() => clearTimeout(timer));
    },
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.status;
      await lines.cancel();
    },
  };
}

/** Sends bytes. Resolves to what comes within some time, or until the end. */
function ask(port: number, text: string, milliseconds: number): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(heard);
    };
    const timer = setTimeout(end, milliseconds);
    socket.on("data", (data) => heard += data).on("error", end).on("close", end);
  });
}

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** Whether nobody is answered any more after such a request. */
async function endsBy({ port }: Program, request: string): Promise<boolean> {
  if (await ask(port, REQUEST, 1_000) === "") throw new Error("the server should answer at first");
  await ask(port, request, 300);
  return await ask(port, REQUEST, 1_000) === "";
}

const UPGRADE = [
  "GET / HTTP/1.1",
  "Host: localhost",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "",
  "",
].join("\r\n");

/** Each resolves to whether the fault was seen. */
const FAULTS: Readonly<Record<string, () => Promise<boolean>>> = {
  async "node:http2 on Deno: the process aborts under twenty clients with five streams at once"() {
    await using server = await start("Deno", "http2_server.ts");
    const { command, args } = await RUNTIMES.Node();
    const { stdout } = await new Deno.Command(command, {
      args: [...args, new URL("http2_clients.ts", import.meta.url).pathname, `${server.port}`],
      stderr: "null",
    }).output();
    if (!(Number(new TextDecoder().decode(stdout)) > 0)) throw new Error("the clients should be answered at first");
    return await server.endsWithin(500);
  },
  async "Deno.serve: a handler that upgrades and then answers otherwise ends the server"() {
    await using server = await start("Deno", "answering_upgrade.ts");
    return await endsBy(server, UPGRADE);
  },
  async "Deno.serve: a handler that upgrades and then throws ends the server"() {
    await using server = await start("Deno", "throwing_upgrade.ts");
    return await endsBy(server, UPGRADE);
  },
  async "Bun.serve: pipelined requests to an asynchronous handler are not all answered"() {
    await using server = await start("Bun", "pipelined.ts");
    const answer = await ask(server.port, REQUEST.repeat(3), 1_000);
    return answer.split("HTTP/1.1 200").length - 1 < 3;
  },
};

for (const name of ["Deno", "Bun", "Node"] as const) console.log(`${name} ${(await RUNTIMES[name]()).version}`);
for (const [name, try_] of Object.entries(FAULTS)) {
  let seen = 0;
  for (let trial = 0; trial < trials; trial++) if (await try_()) seen++;
  console.log(`${name}: seen in ${seen} of ${trials} trials`);
}
