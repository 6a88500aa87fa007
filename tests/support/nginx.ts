/**
 * nginx as an HTTP proxy, on a port and in a folder of its own.
 *
 * @module
 */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Folder } from "./folder.ts";
import { answers, eventually } from "./net.ts";
import { type Lack, lackUnless } from "../../testing/loopback.ts";

export const noNginx: Lack = lackUnless(
  spawnSync("nginx", ["-v"]).status === 0,
  "nginx is not installed; on Debian, apt-get install nginx installs it",
);

/** An nginx that ends when it is disposed of. */
export interface Nginx extends AsyncDisposable {
  readonly port: number;
}

/**
 * Starts nginx in front of a server, such as `127.0.0.1:7000` or `unix:/tmp/socket`. It names its client in one header, and
 * keeps one connection to the server alive for all its clients. Below `/upgrade` it passes upgrades on.
 *
 * @param header A directive that sets the header.
 */
export async function startNginx(upstream: string, header: string): Promise<Nginx> {
  const folder = new Folder();
  const port = await freePort();
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((what) => `${what}_temp_path ${what};`);
  writeFileSync(
    folder.file("config"),
    `
pid nginx.pid;
events {}
http {
  access_log off;
  ${temp.join(" ")}
  client_max_body_size 0;
  proxy_http_version 1.1;
  ${header}
  upstream server { server ${upstream}; keepalive 1; }
  server {
    listen 127.0.0.1:${port};
    location / { ${header} proxy_set_header Connection ""; proxy_pass http://server; }
    location /upgrade {
      ${header}
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_pass http://server;
    }
  }
}
`,
  );
  const args = ["-e", "stderr", "-p", folder.file(""), "-c", "config", "-g", "daemon off; master_process off;"];
  const child = spawn("nginx", args, { stdio: "ignore" });
  const ended = once(child, "exit");
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
    folder[Symbol.dispose]();
  };
  try {
    await eventually(() => answers(port), "nginx to listen");
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, [Symbol.asyncDispose]: stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
