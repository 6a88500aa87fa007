/**
 * Limited servers with deadlines, of the kinds whose connections are all under them.
 *
 * @module
 */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server as NetServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { limitServer, type LimitServerOptions } from "@connlimit/connlimit/node";
import { secure } from "../deadline_clients.ts";
import { type Adapter, type Options, PUSH_MS, type Server, type Task } from "../deadline_trial.ts";
import { Folder } from "../folder.ts";
import { certificate, within } from "../net.ts";
import { noUnixSockets } from "../platform.ts";
import { toPort } from "../relay.ts";

/** What is done with a socket, which has no listener for errors: no deadline may bring about one that ends the process. */
const TASKS: Readonly<Record<Task, (socket: Socket) => unknown>> = {
  echo: (socket) => socket.pipe(socket),

  flood(socket) {
    const write = () => {
      while (socket.writable && socket.write(new Uint8Array(16_384)));
    };
    socket.on("drain", write);
    write();
  },

  push(socket) {
    const timer = setInterval(() => socket.writable && socket.write("a"), PUSH_MS);
    socket.on("close", () => clearInterval(timer));
  },
};

/** What the rules do with a connection, by a socket. */
function hooked(socket: Socket): object {
  const { remoteAddress } = socket;
  return {
    remoteAddress,
    write: (data: Uint8Array) => socket.write(data),
    close: () => socket.destroy(),
  };
}

async function serve(server: NetServer, path: string | undefined, options: Options): Promise<Server> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    // Clients of the rules reset.
    socket.on("error", () => {});
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const { onTimeout } = options;
  const { limiter } = limitServer(server, { maxPerClient: Infinity }, {
    ...options,
    ...onTimeout && { onTimeout: (timeout, socket) => onTimeout(timeout, hooked(socket) as never) },
  } as LimitServerOptions<Socket>);
  server.listen(path === undefined ? { host: "127.0.0.1", port: 0 } : { path });
  await once(server, "listening");
  const to = path === undefined ? toPort((server.address() as AddressInfo).port) : () => connect(path);
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  const stop = async (timeout: number) => {
    if (server.listening) server.close();
    if (timeout === 0) { for (const socket of sockets) socket.destroy(); }
    await within(closed, "the server to be closed");
  };
  return { limiter, connect: to, stop, [Symbol.asyncDispose]: () => stop(0) };
}

/** The adapters. The first is the plainest. */
export const NODE_ADAPTERS: readonly Adapter[] = [
  {
    name: "net",
    serve: (options, task) => serve(createServer({ allowHalfOpen: false }, TASKS[task]), undefined, options),
  },
  {
    name: "tls",
    secure,
    serve(options, task) {
      const server = createTlsServer(certificate(), (socket) => {
        // The client resets, but in the trial of one that does not read.
        if (task !== "flood") socket.on("error", () => {});
        TASKS[task](socket);
      });
      return serve(server.on("tlsClientError", () => {}), undefined, options);
    },
  },
  ...noUnixSockets ? [] : [{
    name: "Unix",
    nameless: true,
    async serve(options: Options, task: Task) {
      const folder = new Folder();
      const server = await serve(createServer(TASKS[task]), folder.file(), options);
      return {
        ...server,
        async [Symbol.asyncDispose]() {
          await server[Symbol.asyncDispose]();
          folder[Symbol.dispose]();
        },
      };
    },
  }],
];
