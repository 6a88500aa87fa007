/**
 * The process of the servers of one page, on any runtime. It is told on which port it shall be asked about them, and which
 * programs to run.
 *
 * @module
 */

import { createServer } from "node:net";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { Limiter } from "@connlimit/connlimit";

/** Every limiter that has been asked for a slot. */
const limiters = new Set<Limiter>();
const { tryAccept } = Limiter.prototype;
Limiter.prototype.tryAccept = function (peer) {
  limiters.add(this);
  return tryAccept.call(this, peer);
};

/** The requests that wait in their handlers. */
const waiting: (() => void)[] = [];
Object.assign(globalThis, { held: () => new Promise<void>((resolve) => waiting.push(resolve)) });

const [port, ...programs] = process.argv.slice(2);
for (const program of programs) {
  await import(pathToFileURL(program).href).catch((error) => console.error(program, error));
}

/** What it can be asked, by the word that it is sent. */
const ANSWERS: Readonly<Record<string, () => unknown>> = {
  open: () => [...limiters].reduce((sum, limiter) => sum + limiter.open, 0),
  go: () => waiting.splice(0).map((resolve) => resolve()).length,
};

const asked = createServer((socket) => {
  socket.on("error", () => {});
  socket.on("data", (word) => socket.end(`${ANSWERS[`${word}`]?.()}`));
});
asked.listen(Number(port), "127.0.0.1");
