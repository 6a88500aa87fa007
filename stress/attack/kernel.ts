/**
 * What the kernel knows of a server: its sockets, whose they are, and its memory.
 *
 * @module
 */

import { libc } from "../../bench/lib/libc.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST_AND_DUMP = 0x301;
const AF_INET = 2;
const IPPROTO_TCP = 6;
/** By the numbers of the states: ESTABLISHED, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT, LAST_ACK, CLOSING. */
const STATES = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 11;

/** Of a `struct nlmsghdr` and a `struct inet_diag_msg` behind it, where in bytes. */
const REMOTE_PORT = 22;
const REMOTE_ADDRESS = 40;
const INODE = 84;

/** Asks the kernel for the sockets of a port: `struct nlmsghdr` and `struct inet_diag_req_v2`. (sock_diag(7)) */
function question(port: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(72));
  view.setUint32(0, 72, true);
  view.setUint16(4, SOCK_DIAG_BY_FAMILY, true);
  view.setUint16(6, NLM_F_REQUEST_AND_DUMP, true);
  view.setUint8(16, AF_INET);
  view.setUint8(17, IPPROTO_TCP);
  view.setUint32(20, STATES, true);
  view.setUint16(24, port);
  return new Uint8Array(view.buffer);
}

const answer = new Uint8Array(64 << 10);
const view = new DataView(answer.buffer);

/**
 * The connections at a port that a process has accepted and not closed, as numbers of address and port, by the address.
 * One that nobody has accepted yet, or that has been closed and is in its last states, is no file's: it has no inode.
 */
function heldAt(port: number): Map<number, Set<number>> {
  const held = new Map<number, Set<number>>();
  const socket = libc.socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
  libc.send(socket, question(port), 72n, 0);
  for (let more = true; more;) {
    const count = Number(libc.recv(socket, answer, BigInt(answer.length), 0));
    more = count > 0;
    for (let at = 0; at < count; at += view.getUint32(at, true) + 3 & ~3) {
      // Anything else is the end, or an error.
      if (view.getUint16(at + 4, true) !== SOCK_DIAG_BY_FAMILY) more = false;
      else if (view.getUint32(at + INODE, true) !== 0) {
        const address = view.getUint32(at + REMOTE_ADDRESS);
        const ports = held.get(address) ?? new Set<number>();
        held.set(address, ports.add(view.getUint16(at + REMOTE_PORT)));
      }
    }
  }
  libc.close(socket);
  return held;
}

/** Milliseconds after which a connection is no longer one that is being refused, even with an answer. */
const REFUSING = 150;

/** The most connections that a server held of one address at once, but for those that it was about to refuse. */
export class Watch implements Disposable {
  peak = 0;
  readonly #timer: ReturnType<typeof setInterval>;
  /** Since when it has been there, by address and port. */
  #since = new Map<number, number>();

  constructor(port: number, every: number) {
    this.#timer = setInterval(() => this.#look(port), every);
  }

  #look(port: number): void {
    const now = performance.now();
    const since = new Map<number, number>();
    for (const [address, ports] of heldAt(port)) {
      let count = 0;
      for (const from of ports) {
        const id = address * 65_536 + from;
        const first = this.#since.get(id) ?? now;
        since.set(id, first);
        if (now - first >= REFUSING) count++;
      }
      this.peak = Math.max(this.peak, count);
    }
    this.#since = since;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** How many sockets a process has. */
export function socketsOf(pid: number): number {
  let count = 0;
  try {
    for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
      try {
        if (Deno.readLinkSync(`/proc/${pid}/fd/${name}`).startsWith("socket:")) count++;
      } catch {
        // Closed by now.
      }
    }
  } catch {
    // The process has ended.
  }
  return count;
}

/** Megabytes of memory that a process has in use; 0 when it has ended. */
export function memoryOf(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}
