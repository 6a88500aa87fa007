/**
 * The server of `two_ports.ts` by callbacks of Bun's.
 *
 *   bun bench/servers/two_ports_callbacks.ts bare
 *   bun bench/servers/two_ports_callbacks.ts limited MAX_PER_CLIENT
 *
 * @module
 */

import process from "node:process";
import { serveCommands } from "../lib/commands.ts";
import { loadBun, loadCore } from "../lib/library.ts";
import { bun, type Handlers } from "./bun.ts";

const [mode, maxPerClient] = process.argv.slice(2);

let served = 0;

const closing: Handlers = {
  open(socket) {
    served++;
    socket.end();
  },
  data() {},
};

const keeping: Handlers = { data: (socket, data) => void socket.write(data) };

const { Limiter } = await loadCore();
const { limitSocketHandler } = await loadBun();
const limiter = new Limiter({ maxPerClient: Number(maxPerClient ?? Infinity) });
const ports = [closing, keeping].map((handlers) => {
  const socket = mode === "limited" ? limitSocketHandler(limiter, handlers as object) : handlers;
  return bun.listen({ hostname: "127.0.0.1", port: 0, socket }).port;
});
serveCommands({ ports }, { served: () => served });
