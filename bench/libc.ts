/**
 * Sockets by direct system calls.
 *
 * Deno's and Node's own sockets cost the client three times what they cost the server, and a flood that the server keeps up
 * with shows nothing. Linux only, and IPv4 only.
 *
 * @module
 */

export const SOCK_STREAM = 1;
export const SOCK_NONBLOCK = 0o4000;
export const MSG_DONTWAIT = 0x40;
const AF_INET = 2;

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
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

/** Opens a socket, or begins to, from an address to an address. Returns its descriptor. */
export function connect(from: Uint8Array<ArrayBuffer>, to: Uint8Array<ArrayBuffer>, type: number): number {
  const socket = libc.socket(AF_INET, type, 0);
  libc.bind(socket, from, 16);
  libc.connect(socket, to, 16);
  return socket;
}
