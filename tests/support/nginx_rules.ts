/**
 * What holds for every server behind nginx that limits each client to two requests in flight.
 *
 * @module
 */

import { createHash, randomBytes } from "node:crypto";
import { assertEquals, assertStrictEquals } from "@std/assert";
import type { Limiter } from "@connlimit/connlimit";
import { HttpClient } from "../../testing/http_client.ts";
import { eventually } from "./net.ts";
import { RunningProxy } from "./real_proxies.ts";

/** By the name of the header: how nginx sets it. */
export const HEADERS: Readonly<Record<string, string>> = {
  "x-forwarded-for": "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
  "x-real-ip": "proxy_set_header X-Real-IP $remote_addr;",
  // A client may send the header, too; this appends to it, as RFC 7239 says.
  "forwarded": 'proxy_set_header Forwarded "$http_forwarded, for=\\"$remote_addr:$remote_port\\";proto=http";',
};

const ONE = "127.0.0.2";
const OTHER = "127.0.0.3";

/** What a client may send to be somebody else. */
const SPOOFED = ["X-Forwarded-For: 127.0.0.3", 'Forwarded: for=127.0.0.3;by="', "X-Real-IP: 127.0.0.3"];

/**
 * Starts nginx in front of a server, such as `127.0.0.1:7000` or `unix:/tmp/socket`. It names its client in one header, and
 * keeps one connection to the server alive for all its clients. Below `/upgrade` it passes upgrades on.
 *
 * @param header A directive that sets the header.
 */
export function startNginx(upstream: string, header: string): Promise<RunningProxy> {
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((what) => `${what}_temp_path ${what};`);
  return RunningProxy.nginx(`
http {
  access_log off;
  ${temp.join(" ")}
  client_max_body_size 0;
  proxy_http_version 1.1;
  ${header}
  upstream server { server ${upstream}; keepalive 1; }
  server {
    listen 127.0.0.1:{port};
    location / { ${header} proxy_set_header Connection ""; proxy_pass http://server; }
    location /upgrade {
      ${header}
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_pass http://server;
    }
  }
}
`);
}

/**
 * Checks a server that waits with its answer to `/wait` until its client has left, and answers with the body of a request to
 * `/echo`.
 */
export async function checkBehindNginx(upstream: string, header: string, limiter: Limiter): Promise<void> {
  await using nginx = await startNginx(upstream, HEADERS[header]!);
  const ask = async (address: string, request: string, ...headers: string[]) => {
    const client = await HttpClient.connect(nginx.port, address);
    client.send(request, ...headers);
    return client;
  };
  const holders = await Promise.all([1, 2].map(() => ask(ONE, "GET /wait", ...SPOOFED)));
  const counts = () => [limiter.openFor(ONE), limiter.openFor(OTHER), limiter.open];
  await eventually(() => limiter.openFor(ONE) === 2, "two requests to be held");
  assertEquals(counts(), [2, 0, 2]);

  // One after the other over the connection that nginx keeps alive.
  for (let round = 0; round < 3; round++) {
    using third = await ask(ONE, "GET /echo", ...SPOOFED);
    assertStrictEquals((await third.answer()).status, 429);
    using other = await ask(OTHER, "GET /echo");
    assertStrictEquals((await other.answer()).status, 200);
  }

  const body = randomBytes(1 << 20);
  const hash = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");
  using echo = await HttpClient.connect(nginx.port, OTHER);
  echo.send("POST /echo", `Content-Length: ${body.length}`);
  echo.write(body);
  const answer = await echo.answer();
  assertStrictEquals(answer.status, 200);
  assertStrictEquals(hash(Uint8Array.from(answer.body, (char) => char.charCodeAt(0))), hash(body));

  for (const holder of holders) holder.reset();
  await eventually(() => limiter.open === 0, "the slots to be free");
  assertEquals(limiter.stats().refusedBy, { ...limiter.stats().refusedBy, client: 3, "unknown-address": 0 });
}
