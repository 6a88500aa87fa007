/**
 * Limited listeners with deadlines, of every kind that the runtime has.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import {
  type ConnLike,
  type LimitedConn,
  type LimitedListener,
  limitedListener,
  type LimitedListenerOptions,
  type LimitsOptions,
} from "@connlimit/connlimit";
import { secure } from "./deadline_clients.ts";
import { type Adapter, PUSH_MS, type Server, type Task } from "./deadline_trial.ts";
import { certificate, within } from "./net.ts";
import { Folder } from "./folder.ts";
import { toPort } from "./relay.ts";
import { isBun, noUnixSockets } from "./platform.ts";

const UNLIMITED: LimitsOptions = { maxPerClient: Infinity };

/** What is done with a connection. */
const TASKS: Readonly<Record<Task, (conn: LimitedConn) => Promise<unknown>>> = {
  echo: (conn) => conn.readable.pipeTo(conn.writable),

  async flood(conn) {
    using _ = conn;
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
function atPort(name: string, listen: () => object, tls = false): Adapter {
  return {
    name,
    serve(options, task) {
      const native = listen();
      const limited = limitedListener(native as never, UNLIMITED, options as LimitedListenerOptions) as Listening;
      return serve(limited, toPort((limited.addr as { readonly port: number }).port), task);
    },
    ...(tls ? { secure } : {}),
  };
}

/** An adapter of listeners at paths. */
function atPath(listen: (path: string) => object): Adapter {
  return {
    name: "Unix",
    nameless: true,
    serve(options, task) {
      const folder = new Folder();
      const path = folder.file();
      const limited = limitedListener(listen(path) as never, UNLIMITED, options as LimitedListenerOptions) as Listening;
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
  // Not by a literal: Deno has no types for Bun's sockets.
  const { handlerAdapters, plain } = await import(isBun ? "./bun/deadline_handlers.ts" : "");
  return [
    atPort("TCP", () => listen(at)),
    atPort("TLS", () => listen({ ...at, tls: certificate() }), true),
    ...noUnixSockets ? [] : [atPath((path) => listen({ transport: "unix", path }))],
    atPort("not half-open, TCP", plain),
    ...handlerAdapters,
  ];
}

/** The limited listeners of the runtime, and Bun's limited handlers. The first is the plainest. */
export const ADAPTERS: readonly Adapter[] = await adapters();
