/**
 * The server of `two_doors.ts` by `node:net`, on any runtime.
 *
 *   deno run -A bench/two_doors_node.ts bare
 *   deno run -A bench/two_doors_node.ts limited MAX_PER_CLIENT
 *
 * @module
 */

import { type AddressInfo, createServer, type Socket } from "node:net";
import process from "node:process";
import { Limiter } from "../mod.ts";
import { limitServer } from "../src/node/mod.ts";
import { tell } from "./tell.ts";

const [mode, maxPerClient] = process.argv.slice(2);
const limiter = new Limiter({ maxPerClient: Number(maxPerClient ?? Infinity) });

let served = 0;

function close(socket: Socket) {
  served++;
  socket.destroy();
}

function keep(socket: Socket) {
  socket.on("error", () => {});
  socket.on("data", (data) => socket.write(data));
}

const ports = [close, keep].map((onConnection) => {
  const server = createServer(onConnection);
  if (mode === "limited") limitServer(server, limiter);
  return new Promise<number>((resolve) => {
    server.listen(
      0,
      "127.0.0.1",
      () => resolve((server.address() as AddressInfo).port),
    );
  });
});
Promise.all(ports).then((ports) => tell(ports, () => served));
