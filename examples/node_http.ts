/**
 * A web server of `node:http` with at most twenty connections for each client.
 *
 *   deno run --allow-net examples/node_http.ts
 *   bun examples/node_http.ts
 *   npx tsx examples/node_http.ts
 *
 * Try it with `curl localhost:8000`. With Express, limit what `app.listen(8000)` returns.
 *
 * @module
 */

import { createServer } from "node:http";
import process from "node:process";
import { logRefusals } from "@connlimit/connlimit";
import { limitServer } from "@connlimit/connlimit/node";

const server = createServer((request, response) => {
  response.end(`connections of yours: ${limiter.openFor(request.socket)}\n`);
});
const { limiter } = limitServer(server, { maxPerClient: 20 }, {
  onRefused: logRefusals(),
});
server.listen(Number(process.argv[2] ?? 8000));
