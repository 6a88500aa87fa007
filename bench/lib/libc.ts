/**
 * Direct system calls, mostly for sockets. Linux only, and IPv4 only.
 *
 * With the sockets of Deno or Node, a client needs three times the CPU time of the server: the server would be idle most of
 * the time, and the load would measure the client.
 *
 * @module
 */

export const SOCK_STREAM = 1;
export const SOCK_NONBLOCK = 0o4000;
export const MSG_PEEK = 0x2;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const SHUT_WR = 1;
export const POLLIN = 0x1;
export const POLLOUT = 0x4;
const AF_INET = 2;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_LINGER = 13;
const PRIO_PROCESS = 0;

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  sched_setaffinity: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  setpriority: { parameters: ["i32", "u32", "i32"], result: "i32" },
} as const;

export const libc: Deno.StaticForeignLibraryInterface<typeof SYMBOLS> = Deno.dlopen("libc.so.6", SYMBOLS).symbols;

/** A `struct sockaddr_in`: the family in the machine's byte order, the rest in the network's. */
export function socketAddress(ip: string, port: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port);
  bytes.set(ip.split(".").map(Number), 4);
  return bytes;
}

/**
 * Opens a socket, or begins to, from an address to an address. Returns its descriptor.
 *
 * @param prepare Does something to the socket before it connects.
 */
export function connect(
  from: Uint8Array<ArrayBuffer>,
  to: Uint8Array<ArrayBuffer>,
  type: number,
  prepare?: (socket: number) => void,
): number {
  const socket = libc.socket(AF_INET, type, 0);
  prepare?.(socket);
  libc.bind(socket, from, 16);
  libc.connect(socket, to, 16);
  return socket;
}

/** A `struct linger` that has `close()` reset the connection. */
const RESET = new Uint8Array(new Int32Array([1, 0]).buffer);

/** Shrinks the receive buffer of a socket to the least. To be called before it connects. */
export function shrinkWindow(socket: number): void {
  libc.setsockopt(socket, SOL_SOCKET, SO_RCVBUF, new Uint8Array(4), 4);
}

/** Closes a socket by a RST. */
export function reset(socket: number): void {
  libc.setsockopt(socket, SOL_SOCKET, SO_LINGER, RESET, 8);
  libc.close(socket);
}

/** Gives this process the lowest priority, as `nice -n 19` does. */
export function giveWay(): void {
  if (libc.setpriority(PRIO_PROCESS, 0, 19) !== 0) throw new Error("setpriority() failed");
}
