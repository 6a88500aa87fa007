/**
 * A server of `node:net` or `node:http` to put load on, on any runtime, in a process of its own so that its CPU time is its
 * own.
 *
 *   deno run -A bench/server_node.ts MODE
 *
 * Prints its port. For each line on standard input it prints how many connections it has turned away and how many
 * microseconds of CPU time it has used since it started.
 *
 * @module
 */

import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import process from "node:process";
import { limitServer } from "../src/node/mod.ts";
import { tell } from "./tell.ts";

/**
 * What a server does: destroys every connection, with its address read or without, refuses it, or serves HTTP without and
 * with limits.
 */
export type NodeMode = "destroy" | "read and destroy" | "refuse" | "http" | "http limited";

/** A server, and how many connections it has turned away. */
type Subject = [server: Server, served: () => number];

function destroyer(look: (socket: Socket) => void): Subject {
  let served = 0;
  const server = createServer((socket) => {
    served++;
    look(socket);
    socket.destroy();
  });
  return [server, () => served];
}

const SUBJECTS: Record<NodeMode, () => Subject> = {
  "destroy": () => destroyer(() => {}),
  "read and destroy": () => destroyer((socket) => socket.remoteAddress),
  refuse() {
    const server = createServer();
    const { limiter } = limitServer(server, { maxPerClient: 0 });
    return [server, () => limiter.stats().refused];
  },
  http: () => [createHttpServer((_request, response) => response.end("hello\n")), () => 0],
  "http limited"() {
    const [server, served] = SUBJECTS.http();
    limitServer(server);
    return [server, served];
  },
};

const [server, served] = SUBJECTS[process.argv[2] as NodeMode]();
server.listen(0, "127.0.0.1", () => tell([(server.address() as AddressInfo).port], served));
