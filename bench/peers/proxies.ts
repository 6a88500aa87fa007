/**
 * HAProxy and nginx with a limit on the connections of one address, as they would stand in front of a server.
 *
 * @module
 */

/** What a proxy is to do. */
export interface ProxyOptions {
  readonly maxPerClient: number;
  /** Its ports, each with the one of the server behind it. One limit counts the connections of all. */
  readonly ports: readonly (readonly [own: number, behind: number])[];
}

/** The names of the proxies. */
export type ProxyName = "HAProxy" | "nginx";

/** A proxy: one process with one thread. */
export interface Proxy {
  readonly program: string;
  /** A file that it cannot do without. */
  readonly module?: string;
  /** How it is started in a folder of its own, where its configuration is in the file `config`. */
  args(folder: string): string[];
  config(options: ProxyOptions): string;
}

/** Where Debian has the module that nginx forwards TCP by. */
const STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";

export const PROXIES: Readonly<Record<ProxyName, Proxy>> = {
  HAProxy: {
    program: "haproxy",
    args: (folder) => ["-db", "-q", "-f", `${folder}/config`],
    // A refused connection is not tracked: the limit is asked first, as HAProxy's documentation has it.
    config: ({ maxPerClient, ports }) => `
global
  nbthread 1
  maxconn 4000

defaults
  mode tcp
  maxconn 2000
  timeout connect 5s
  timeout client 1m
  timeout server 1m

backend clients
  stick-table type ip size 100k expire 1m store conn_cur
${
      ports.map(([own, behind]) => `
listen port_${own}
  bind 127.0.0.1:${own}
  tcp-request connection reject if { src_conn_cur(clients) ge ${maxPerClient} }
  tcp-request connection track-sc0 src table clients
  server behind 127.0.0.1:${behind}
`).join("")
    }`,
  },
  nginx: {
    program: "nginx",
    module: STREAM_MODULE,
    args: (folder) => ["-e", "stderr", "-p", folder, "-c", "config", "-g", "daemon off; master_process off;"],
    // What is refused is not logged, which would cost more than all the rest.
    config: ({ maxPerClient, ports }) => `
load_module ${STREAM_MODULE};
worker_processes 1;
error_log stderr crit;
pid nginx.pid;

events {
  worker_connections 8000;
}

stream {
  limit_conn_zone $binary_remote_addr zone=clients:10m;
  limit_conn clients ${maxPerClient};
${
      ports.map(([own, behind]) => `
  server {
    listen 127.0.0.1:${own};
    proxy_pass 127.0.0.1:${behind};
  }
`).join("")
    }}
`,
  },
};

/** What keeps a proxy from being started, or `undefined`. */
export async function lackOf({ program, module }: Proxy): Promise<string | undefined> {
  try {
    await new Deno.Command(program, { args: ["-v"], stdout: "null", stderr: "null" }).output();
    if (module !== undefined) await Deno.stat(module);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return `${program} is not installed, or not with ${module ?? "all its parts"}`;
  }
}
