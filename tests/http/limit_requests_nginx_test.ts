/**
 * `limitRequests()` behind a real nginx, with `Deno.serve` and `Bun.serve`.
 *
 * @module
 */

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import type { Peer } from "@connlimit/connlimit";
import type { LimitRequestsOptions } from "@connlimit/connlimit/http";
import { forwarded } from "@connlimit/connlimit/proxy";
import { Held, said, visitThroughNginx } from "../support/behind_nginx.ts";
import { printed } from "../support/console.ts";
import { Folder } from "../support/folder.ts";
import { Served } from "../support/http/served.ts";
import { checkBehindNginx, HEADERS } from "../support/nginx_rules.ts";
import { oneAddress } from "../support/platform.ts";
import { noNginx } from "../support/real_proxies.ts";

/** Waits until the client has left, or answers with the request's body. */
async function handle(request: Request): Promise<Response> {
  if (!request.url.endsWith("/wait")) return new Response(await request.bytes());
  await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
  return new Response();
}

/** Not `testUnless()`: Deno's sanitizers would find the timer by which the library looks after handlers. */
const testBehindNginx = (name: string, run: () => Promise<void>) => {
  const lack = noNginx || oneAddress;
  test(lack ? `${name} (skipped: ${lack})` : name, { skip: lack !== false }, run);
};

/** The option `client`, for a second argument of any runtime. */
function clientBy(header: string, ...trusted: string[]): LimitRequestsOptions {
  const client = forwarded({ header, trusted });
  return { client: (request, info) => client(request, info as Peer) };
}

for (const header of Object.keys(HEADERS)) {
  testBehindNginx(`limitRequests() counts the clients of nginx by ${header}`, async () => {
    const served = new Served(handle, { limits: { maxPerClient: 2 }, options: clientBy(header, "127.0.0.1") });
    try {
      await checkBehindNginx(`127.0.0.1:${served.port}`, header, served.limiter);
    } finally {
      await served.stop(true);
    }
  });
}

testBehindNginx("limitRequests() counts the clients of nginx over a Unix socket", async () => {
  using folder = new Folder();
  const unix = folder.file();
  const options = clientBy("x-forwarded-for", "unix");
  const served = new Served(handle, { limits: { maxPerClient: 2 }, options, unix });
  try {
    await checkBehindNginx(`unix:${unix}`, "x-forwarded-for", served.limiter);
  } finally {
    await served.stop(true);
  }
});

testBehindNginx("limitRequests() tells that nginx is refused, in one line", async () => {
  const held = new Held();
  const served = new Served(() => held.wait.then(() => new Response("hello\n")), { limits: { maxPerClient: 20 } });
  try {
    const prints = await printed(() => visitThroughNginx(`127.0.0.1:${served.port}`, served.limiter, () => held.go()));
    assertEquals(prints, [[`connlimit: ${said("set the option client")}`]]);
  } finally {
    await served.stop(true);
  }
});
