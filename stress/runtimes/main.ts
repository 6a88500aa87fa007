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
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { eventually } from "../../testing/net.ts";
import { Program } from "../../testing/program.ts";
import { type RuntimeName, RUNTIMES } from "../../testing/runtimes.ts";

const { values } = parseArgs({ args: Deno.args, options: { trials: { type: "string", default: "10" } } });
const trials = Number(values.trials);

/** Starts a server's program, whose first line is its port. */
async function start(runtime: RuntimeName, file: string): Promise<Program & { readonly port: number }> {
  const { command, args } = await RUNTIMES[runtime]();
  const run = runtime === "Deno" ? ["run", "--quiet", "-A"] : [];
  const program = new Program(command, [...args, ...run, fileURLToPath(new URL(file, import.meta.url))], {
    stderr: "ignore",
  });
  await eventually(() => program.output.includes("\n"), `${file} to listen`);
  return Object.assign(program, { port: Number(program.output) });
}

/** Whether a program has ended by half a second from now. */
async function endsSoon(program: Program): Promise<boolean> {
  await Promise.race([program.ended, setTimeout(500, undefined, { ref: false })]);
  return !program.runs;
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
    const timer = globalThis.setTimeout(end, milliseconds);
    socket.on("data", (data) => heard += data).on("error", end).on("close", end);
  });
}

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** Whether nobody is answered any more after such a request. */
async function endsBy({ port }: { readonly port: number }, request: string): Promise<boolean> {
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
    const line = [...args, fileURLToPath(new URL("http2_clients.ts", import.meta.url)), `${server.port}`];
    await using clients = new Program(command, line, { stderr: "ignore" });
    await clients.ended;
    if (!(Number(clients.output) > 0)) throw new Error("the clients should be answered at first");
    return await endsSoon(server);
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
