/**
 * The attacks, as what each socket of the crowd does.
 *
 * @module
 */

/** What a server speaks: bytes, or HTTP with limits on its connections, or with limits on its requests. */
export type Protocol = "tcp" | "http" | "requests";

/** What one socket says, by what the server speaks. */
type Words = Readonly<Record<Protocol, string>>;

/** What the sockets of an attack do. */
export interface Attack {
  /** What it is, for the report. */
  readonly about: string;
  /** Addresses that the sockets come from, in turns. */
  readonly sources: number;
  /** Sockets at once. Those that the server ends are replaced. */
  readonly sockets: number;
  /** Said at the beginning. */
  readonly hello?: Words;
  /** Said again ten times a second. */
  readonly drip?: Words;
  /** Whether the end of the stream is sent after the hello. */
  readonly fin?: boolean;
  /** Whether what the server sends is read. */
  readonly reads?: boolean;
  /** What a socket does when it is served: nothing more, or a reset, or it ends either way soon after. */
  readonly served?: "stay" | "reset" | "leave";
  /** Whether it is reset as soon as it is connected. */
  readonly resets?: boolean;
  /** Attempts a second, rather than as fast as it goes. */
  readonly rate?: number;
  /** Milliseconds of work that the server has for each message. */
  readonly work?: number;
  /** A burst is over after so many attempts, rather than after some time. */
  readonly attempts?: number;
}

/** Their names. */
export type AttackName =
  | "next door"
  | "reset flood"
  | "idle"
  | "slow"
  | "half-open"
  | "mid-reset"
  | "never-reading"
  | "descriptors"
  | "greedy"
  | "limits"
  | "hooks"
  | "busy server";

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
}

/** Bytes are echoed, or after a first `s` answered without end; `/hold` is a response that never ends. */
const ECHO: Words = { tcp: "e", http: get("/"), requests: get("/hold") };
const STREAM: Words = { tcp: "s", http: get("/stream"), requests: get("/stream") };

export const ATTACKS: Readonly<Record<AttackName, Attack>> = {
  "next door": {
    about: "no attack: be refused, as fast as it goes, by another server on the same machine",
    sources: 5,
    sockets: 250,
    hello: ECHO,
    reads: true,
  },
  "reset flood": { about: "connect and reset, as fast as it goes", sources: 200, sockets: 200, resets: true },
  "idle": { about: "connect and say nothing", sources: 100, sockets: 2_000, reads: true },
  "slow": {
    about: "a byte, a header or a piece of a body at a time",
    sources: 100,
    sockets: 2_000,
    hello: {
      tcp: "e",
      http: "GET / HTTP/1.1\r\nHost: localhost\r\n",
      requests: "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n",
    },
    drip: { tcp: "e", http: "X: y\r\n", requests: "x" },
    reads: true,
  },
  "half-open": { about: "ask, send FIN, neither read nor close", sources: 100, sockets: 2_000, hello: ECHO, fin: true },
  "mid-reset": {
    about: "ask for a stream, reset when it has begun",
    sources: 100,
    sockets: 400,
    hello: STREAM,
    reads: true,
    served: "reset",
  },
  "never-reading": { about: "ask for a stream, never read it", sources: 30, sockets: 600, hello: STREAM },
  "descriptors": {
    about: "hold more connections than the server, under `ulimit -n 400`, has descriptors",
    sources: 250,
    sockets: 1_000,
    hello: ECHO,
    reads: true,
  },
  "greedy": {
    about: "10,000 attempts of one client",
    sources: 1,
    sockets: 250,
    hello: ECHO,
    reads: true,
    attempts: 10_000,
  },
  "limits": {
    about: "come and go while the limits change every 10 ms",
    sources: 100,
    sockets: 1_500,
    hello: ECHO,
    reads: true,
    served: "leave",
  },
  "busy server": {
    about:
      "one client connects 1,000 times a second to a server that has 0.4 ms of work for each message, all it can do",
    sources: 1,
    sockets: 400,
    reads: true,
    rate: 1_000,
    work: 0.4,
  },
  "hooks": {
    about: "be refused while every hook throws or rejects",
    sources: 5,
    sockets: 250,
    hello: ECHO,
    reads: true,
  },
};

/** How many honest clients there are. */
export const HONEST_CLIENTS = 50;

/** Connections, or requests in flight, that each client may have of a limited server. */
export const MAX_PER_CLIENT = 10;

/** With limits, by an accept loop or, on Bun, by callbacks; or without. */
export type Mode = "limited" | "callbacks" | "bare";
