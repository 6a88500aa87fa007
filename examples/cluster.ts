/**
 * A web server of `node:cluster` with at most twenty connections for each client, over all of its workers.
 *
 *   bun examples/cluster.ts
 *   npx tsx examples/cluster.ts
 *
 * Try it with `curl localhost:8000`. It starts a worker for one that has ended, whose slots are free again at once.
 *
 * @module
 */

import cluster from "node:cluster";
import { createServer } from "node:http";
import { availableParallelism } from "node:os";
import process from "node:process";
import { limitServer } from "@connlimit/connlimit/node";
import { ChannelStore, MemoryStore, StoreLimiter } from "@connlimit/connlimit/shared";

if (cluster.isPrimary) {
  const store = new MemoryStore(); // what is open, at all workers
  const fork = () => store.serve(cluster.fork());
  for (let i = 0; i < availableParallelism(); i++) fork();
  cluster.on("exit", fork);
} else {
  const limiter = new StoreLimiter({ maxPerClient: 20 }, new ChannelStore());
  const server = createServer((_request, response) => {
    response.end(`served by ${process.pid}\n`);
  });
  limitServer(server, limiter, {
    onRefused: ({ reason }, socket) => console.log(`refused ${socket.remoteAddress}: ${reason}`),
  });
  server.listen(Number(process.argv[2] ?? 8000));
}
