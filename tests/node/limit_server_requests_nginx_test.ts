/**
 * `limitServerRequests()` behind a real nginx.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createServer, type RequestListener } from "node:http";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { forwarded } from "@connlimit/connlimit/proxy";
import { WebSocketServer } from "ws";
import { HEADERS as UPGRADE } from "../../testing/frames.ts";
import { HttpClient } from "../../testing/http_client.ts";
import { Folder } from "../support/folder.ts";
import { checkBehindNginx, HEADERS, startNginx } from "../support/nginx_rules.ts";
import { LimitedRequests } from "../support/node/limited_requests.ts";
import { ignore } from "../support/node/server_kinds.ts";
import { oneAddress } from "../support/platform.ts";
import { noNginx } from "../support/real_proxies.ts";
import { testUnless } from "../support/test_unless.ts";

const answer: RequestListener = (request, response) => {
  if (request.url === "/wait") return;
  // Once all of it is there: nginx does not read while it writes.
  const body: Uint8Array[] = [];
  request.on("data", (data) => body.push(data));
  request.on("end", () => response.end(Buffer.concat(body)));
};

for (const header of Object.keys(HEADERS)) {
  testUnless(noNginx || oneAddress, `limitServerRequests() counts the clients of nginx by ${header}`, async () => {
    const client = forwarded({ header, trusted: ["127.0.0.1"] });
    await using limited = await LimitedRequests.listen(createServer(answer), { maxPerClient: 2 }, { client });
    await checkBehindNginx(`127.0.0.1:${limited.port}`, header, limited.limiter);
  });
}

testUnless(noNginx || oneAddress, "limitServerRequests() counts the clients of nginx over a Unix socket", async () => {
  using folder = new Folder();
  const path = folder.file();
  const client = forwarded({ header: "x-forwarded-for", trusted: ["unix"] });
  await using limited = await LimitedRequests.listen(createServer(answer), { maxPerClient: 2 }, { client }, { path });
  await checkBehindNginx(`unix:${path}`, "x-forwarded-for", limited.limiter);
});

testUnless(
  noNginx || oneAddress,
  "limitServerRequests() counts WebSockets through nginx for their clients",
  async () => {
    const server = createServer();
    new WebSocketServer({ server }).on("connection", (socket) => socket.on("error", ignore));
    const client = forwarded({ header: "x-forwarded-for", trusted: ["127.0.0.1"] });
    await using limited = await LimitedRequests.listen(server, { maxPerClient: 2 }, { client });
    await using nginx = await startNginx(`127.0.0.1:${limited.port}`, HEADERS["x-forwarded-for"]!);
    const open = async (address: string) => {
      const socket = await HttpClient.connect(nginx.port, address);
      socket.send("GET /upgrade", ...UPGRADE);
      return { socket, status: (await socket.head()).status };
    };
    const sockets = [];
    for (const address of ["127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.3"]) sockets.push(await open(address));
    assertEquals(sockets.map(({ status }) => status), [101, 101, 429, 101]);
    assertStrictEquals(limited.limiter.openFor("127.0.0.2"), 2);
    for (const { socket } of sockets) socket[Symbol.dispose]();
    await limited.holds(0);
  },
);
