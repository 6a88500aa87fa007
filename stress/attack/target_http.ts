/**
 * A server of `node:http` under attack, on Deno, Bun or Node.
 *
 *   deno run -A stress/attack/target_http.ts ATTACK MODE
 *
 * @module
 */

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { limitServer, tooManyConnections } from "../../src/node/mod.ts";
import { failing, hooks, limiter, mode, nextChunk, serveState, work } from "./target.ts";

const server = createServer((request, response) => {
  if (request.url === "/stream") return stream(response);
  request.resume();
  request.on("end", () => {
    work();
    response.end("hello\n");
  });
});

function stream(response: ServerResponse): void {
  const write = async () => {
    // A write to a response that is gone says "go on".
    while (!response.destroyed && response.write(await nextChunk()));
  };
  response.on("drain", write);
  write();
}

if (mode === "limited") {
  limitServer(server, limiter, failing ? hooks : { answer: tooManyConnections({ writeDeadline: 10 }) });
}
server.listen(0, "0.0.0.0", () => serveState((server.address() as AddressInfo).port));
