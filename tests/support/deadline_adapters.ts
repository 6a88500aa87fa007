/**
 * Limited listeners with deadlines, of every kind that the runtime has.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import {
  type ConnLike,
  type LimitedConn,
  type LimitedListener,
  limitedListener,
  type LimitedListenerOptions,
} from "@connlimit/connlimit";
import { type Adapter, PUSH_MS, type Server, type Task, toPort } from "./deadline_trial.ts";
import { certificate, type Client, connected, within } from "./net.ts";
import { Folder } from "./folder.ts";
import { isBun, noUnixSockets } from "./platform.ts";

/** Makes a TLS client of a connection. */
export async function secure(socket: Socket): Promise<Client> {
  return await connected(connectTls({ socket, servername: "localhost", ca: certificate().cert }), "secureConnect");
}

/** What is done with a connection. */
const TASKS: Readonly<Record<Task, (conn: LimitedConn) => Promise<unknown>>> = {
  echo: (conn) => conn.readable.pipeTo(conn.writable),

  async flood(conn) {
    const chunk = new Uint8Array(16_384);
    for (;;) await conn.write(chunk);
  },

  async push(conn) {
    for (;;) {
      await conn.write(new Uint8Array(1));
      await new Promise((resolve) => setTimeout(resolve, PUSH_MS));
    }
  },
};

type Listening = LimitedListener<ConnLike>;

/** Serves by the loop of a limited listener. */
function serve(listener: Listening, to: () => Socket, task: Task): Server {
  const tasks: Promise<unknown>[] = [];
  const serving = (async () => {
    for await (const conn of listener) tasks.push(TASKS[task](conn).catch(() => {}));
  })();
  return {
    limiter: listener.limiter,
    connect: to,
    stop: (timeout) => listener.shutdown({ timeout }),
    async [Symbol.asyncDispose]() {
      await listener.shutdown({ timeout: 0 });
      await within(serving, "the loop to end");
      await within(Promise.all(tasks), "the tasks to end");
    },
  };
}

/** An adapter of listeners at ports. */
function atPort(name: string, listen: () => { readonly addr: { readonly port: number } }, tls = false): Adapter {
  return {
    name,
    serve(options, task) {
      const native = listen();
      const limited = limitedListener(native as never, {}, options as LimitedListenerOptions) as Listening;
      return serve(limited, toPort(native.addr.port), task);
    },
    ...(tls ? { secure } : {}),
  };
}

/** An adapter of listeners at paths. */
function atPath(listen: (path: string) => object): Adapter {
  return {
    name: "Unix",
    serve(options, task) {
      const folder = new Folder();
      const path = folder.file();
      const limited = limitedListener(listen(path) as never, {}, options as LimitedListenerOptions) as Listening;
      const server = serve(limited, () => connect(path), task);
      return {
        ...server,
        async [Symbol.asyncDispose]() {
          await server[Symbol.asyncDispose]();
          folder[Symbol.dispose]();
        },
      };
    },
  };
}

async function adapters(): Promise<Adapter[]> {
  const at = { hostname: "127.0.0.1", port: 0 };
  if (!isBun) {
    return [
      atPort("TCP", () => Deno.listen(at)),
      { ...atPort("TLS", () => Deno.listenTls({ ...at, ...certificate() }), true), keepsTls: true },
      ...noUnixSockets ? [] : [atPath((path) => Deno.listen({ transport: "unix", path }))],
    ];
  }
  const { listen } = await import("@connlimit/connlimit/bun");
  return [
    atPort("TCP", () => listen(at)),
    atPort("TLS", () => listen({ ...at, tls: certificate() }), true),
    ...noUnixSockets ? [] : [atPath((path) => listen({ transport: "unix", path }))],
  ];
}

/** The limited listeners of the runtime. */
export const listenerAdapters: readonly Adapter[] = await adapters();
