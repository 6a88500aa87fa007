/**
 * Limited handlers of Bun with deadlines, of every kind.
 *
 * @module
 */

import { connect } from "node:net";
import { Limiter } from "@connlimit/connlimit";
import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { secure } from "../deadline_clients.ts";
import { type Adapter, PUSH_MS, type Server, type Task } from "../deadline_trial.ts";
import { Folder } from "../folder.ts";
import { within } from "../net.ts";
import { noUnixSockets } from "../platform.ts";
import { toPort } from "../relay.ts";
import { address, type Kind, PLAIN, TLS } from "./kinds.ts";

type Handlers = Bun.SocketHandler<undefined>;
type Socket = Bun.Socket<undefined>;

const CHUNK = new Uint8Array(16_384);

/** The handlers of servers with a task. */
const TASKS: Readonly<Record<Task, () => Handlers>> = {
  echo: () => ({
    data: (socket, data) => void socket.write(data),
  }),

  flood() {
    const write = (socket: Socket) => {
      while (socket.write(CHUNK) === CHUNK.length);
    };
    return { open: write, drain: write };
  },

  push() {
    const timers = new Map<Socket, ReturnType<typeof setInterval>>();
    return {
      open: (socket) => void timers.set(socket, setInterval(() => socket.write("a"), PUSH_MS)),
      drain() {},
      close: (socket) => clearInterval(timers.get(socket)),
    };
  },
};

function adapterOf(name: string, kind: Kind, listenTo?: (folder: Folder) => string): Adapter {
  return {
    name,
    serve(options, task): Server {
      const limiter = new Limiter({ maxPerClient: Infinity });
      const socket = limitSocketHandler(limiter, TASKS[task](), options as never);
      const folder = new Folder();
      const path = listenTo?.(folder);
      const listener = Bun.listen(
        { ...path === undefined ? address(kind) : { unix: path }, socket } as never,
      ) as unknown as Bun.TCPSocketListener;
      return {
        limiter,
        connect: path === undefined ? toPort(listener.port) : () => connect(path),
        async stop(timeout) {
          listener.stop(timeout === 0);
          await within(limiter.idle(), "the connections to be closed");
        },
        [Symbol.asyncDispose]() {
          listener.stop(true);
          folder[Symbol.dispose]();
          return Promise.resolve();
        },
      };
    },
    nameless: listenTo !== undefined,
    ...(kind.tls ? { secure } : {}),
  };
}

/** Limited handlers. */
export const handlerAdapters: readonly Adapter[] = [
  adapterOf("handlers, TCP", PLAIN),
  adapterOf("handlers, TCP, not half-open", { ...PLAIN, halfOpen: false }),
  adapterOf("handlers, TLS", TLS),
  ...noUnixSockets ? [] : [adapterOf("handlers, Unix", PLAIN, (folder) => folder.file())],
];

/** A listener that is to be limited, without what `listen()` sets. */
export const plain = (): object => Bun.listen({ ...address({ ...PLAIN, halfOpen: false }), socket: { data() {} } });
