/**
 * Real connections for tests, on loopback, on every runtime.
 *
 * @module
 */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { type Client, connectFrom, eventually, within } from "../../testing/net.ts";
import { findSockets, oneAddress } from "./platform.ts";

export { type Client, connected, connectFrom, connectToPath, eventually, within } from "../../testing/net.ts";

/** A certificate for `localhost`, which signs itself, with its key. */
export function certificate(): { cert: string; key: string } {
  const read = (name: string) => readFileSync(new URL(`./tls/localhost.${name}`, import.meta.url), "utf8");
  return { cert: read("crt"), key: read("key") };
}

/**
 * A port below those that systems give to clients, and to listeners that ask for none. Between a look whether a port is
 * free and a server that takes it, tests in other processes could be given one of those.
 */
export function ownPort(): number {
  return 10_000 + Math.floor(Math.random() * 20_000);
}

/** A port that nobody listens at. */
export async function freePort(): Promise<number> {
  const port = ownPort();
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return freePort();
  }
  server.close();
  await once(server, "close");
  return port;
}

/** Whether somebody listens at a port. */
export async function answers(port: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    // Where nobody listens, a connection can meet itself, unless it comes from another address than it goes to.
    const connecting = connectFrom(oneAddress ? "127.0.0.1" : "127.0.0.9", port);
    // Deno may not tell of a connection that is made as the server begins to listen.
    const late = new Promise<never>((_, reject) => timer = setTimeout(reject, 1_000));
    using client = await Promise.race([connecting, late]);
    return client.socket.localAddress !== "127.0.0.1" || client.socket.localPort !== port;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for the client's socket to be closed, reading what comes until then. Resolves to the text read. */
export async function ended({ socket }: Client): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => text += chunk);
  // Not `once()`, which rejects where an error comes first.
  const closed = new Promise((resolve) => socket.once("close", resolve));
  if (!socket.destroyed) await within(closed, "the client's socket to be closed");
  return text;
}

/** Sends something. Resolves to the first of what comes back, or to nothing where the connection ends instead. */
export async function reply({ socket }: Client, words: string): Promise<string> {
  if (socket.destroyed) return "";
  const answer = new Promise<string>((resolve) => {
    const onClose = () => resolve("");
    socket.once("close", onClose);
    socket.once("data", (data) => {
      socket.off("close", onClose);
      resolve(data.toString());
    });
  });
  socket.write(words);
  return await within(answer, "an answer or the end");
}

/** Time for what must not happen to happen: some turns of the event loop, and what the system takes. */
export async function aWhile(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** How many sockets this process has open, by the system's count; always none where it hides them. */
export function openSockets(): number {
  return findSockets().size;
}

/** The body of a test that must have closed every socket in the end. */
export function leavingNoSocket(run: () => Promise<void>): () => Promise<void> {
  return async () => {
    const before = openSockets();
    await run();
    await eventually(() => openSockets() === before, "every socket to be closed");
  };
}
