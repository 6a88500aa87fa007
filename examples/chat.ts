/**
 * A chat over WebSockets, by `ws`, with at most ten connections for each client. A WebSocket holds its slot until it
 * closes, so one client cannot fill the room.
 *
 * It needs the packages of package.json, which `deno install`, `bun install` or `npm install` fetches.
 *
 *   deno run --allow-net --allow-env examples/chat.ts
 *   bun examples/chat.ts
 *   npx tsx examples/chat.ts
 *
 * Try it in two windows at `http://localhost:8000`.
 *
 * @module
 */

import { createServer } from "node:http";
import process from "node:process";
import { WebSocketServer } from "ws";
import { limitServer } from "@connlimit/connlimit/node";

const PAGE = `<!doctype html><title>Chat</title><form><input autofocus></form><script>
  const [form] = document.forms, [input] = form, socket = new WebSocket(location.href.replace("http", "ws"));
  form.onsubmit = () => (socket.send(input.value), input.value = "", false);
  socket.onmessage = ({ data }) => document.body.append(data, document.createElement("br"));
</script>`;

const server = createServer((_request, response) => response.setHeader("content-type", "text/html").end(PAGE));
limitServer(server, { maxPerClient: 10 });

const chat = new WebSocketServer({ server, maxPayload: 4096 });
chat.on("connection", (socket) => {
  socket.on("error", () => socket.terminate()); // ends this connection, not the server
  socket.on("message", (words) => {
    for (const other of chat.clients) {
      if (other.bufferedAmount > 1_000_000) other.terminate(); // it does not read
      else other.send(`${words}`);
    }
  });
});
server.listen(Number(process.argv[2] ?? 8000));
