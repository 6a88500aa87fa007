/**
 * A module that exports a fetch handler, for `deno serve` and Bun. Tests start it.
 *
 * @module
 */

import process from "node:process";
import { Limiter } from "@connlimit/connlimit";
import { limitRequests } from "@connlimit/connlimit/http";

const limiter = new Limiter({ maxPerClient: 2 });

const handler: {
  port: number;
  hostname: string;
  fetch(request: Request, info: unknown): Response | Promise<Response>;
} = {
  // For Bun; `deno serve` is told by its arguments.
  port: Number(process.env.PORT),
  hostname: "127.0.0.1",
  fetch: limitRequests(limiter, (request) => {
    if (request.url.endsWith("/open")) return new Response(`${limiter.open}`);
    return new Response(new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode("first")) }));
  }),
};
export default handler;
