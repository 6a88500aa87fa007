import { test } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { createGate } from "../../src/admission/gate.ts";
import { FIND_CLIENT, findClients } from "../../src/admission/client_finder.ts";
import { Limiter } from "@connlimit/connlimit";
import { proxyOf, proxyProtocol, type ProxyProtocolOptions } from "@connlimit/connlimit/proxy";
import { BLOCK4, bytes, v2 } from "../support/proxy/headers.ts";

const trusted = ["10.0.0.0/8"];

test("proxyProtocol() rejects options that are none, and names the value", () => {
  const rejected: readonly [options: unknown, error: typeof TypeError | typeof RangeError, message: string][] = [
    [undefined, TypeError, "options must be a plain object, got undefined"],
    [{}, TypeError, "trusted must be an array of networks in CIDR notation, got undefined"],
    [{ trusted: [] }, RangeError, "trusted must name at least one network, got an empty array"],
    [{ trusted: ["10.0.0.0/33"] }, RangeError, 'got "10.0.0.0/33"'],
    [{ trusted, untrusted: "maybe" }, TypeError, 'untrusted must be "refuse" or "direct", got "maybe"'],
    [{ trusted, untrusted: true }, TypeError, 'untrusted must be "refuse" or "direct", got true'],
    [{ trusted, timeout: "5s" }, TypeError, 'timeout must be a number, got "5s"'],
    [{ trusted, timeout: Infinity }, RangeError, "timeout must be milliseconds from 0 to 2147483647, got Infinity"],
    [{ trusted, timeout: 2 ** 31 }, RangeError, "timeout must be milliseconds from 0 to 2147483647, got 2147483648"],
    [{ trusted, timeout: -1 }, RangeError, "got -1"],
    [{ trusted, timeout: NaN }, RangeError, "got NaN"],
    [{ trusted, maxPending: 0 }, RangeError, "maxPending must be a whole number from 1, got 0"],
    [{ trusted, maxPending: 1.5 }, RangeError, "maxPending must be a whole number from 1, got 1.5"],
    [{ trusted, maxPending: Infinity }, RangeError, "got Infinity"],
    [{ trusted, maxHeader: 231 }, RangeError, "maxHeader must be a whole number from 232 to 65551, got 231"],
    [{ trusted, maxHeader: 65_552 }, RangeError, "got 65552"],
    [{ trusted, maxHeader: "4096" }, TypeError, 'maxHeader must be a number, got "4096"'],
    [{ trusted, trustAll: true }, TypeError, 'unknown proxyProtocol option "trustAll"'],
  ];
  for (const [options, error, message] of rejected) {
    assertThrows(() => proxyProtocol(options as ProxyProtocolOptions), error, message);
  }
});

test("proxyProtocol() takes the extremes of its options", () => {
  proxyProtocol({ trusted, timeout: 0, maxPending: 1, maxHeader: 232, untrusted: "direct" });
  proxyProtocol({ trusted: ["unix", "::1"], timeout: 2 ** 31 - 1, maxPending: 1e9, maxHeader: 65_551 });
});

test("findClients() takes nothing, and what proxyProtocol() has made, and rejects all else", () => {
  assertStrictEquals(findClients(undefined, {} as never), undefined);
  for (const client of [null, {}, () => "192.0.2.7", "x-forwarded-for", { [FIND_CLIENT]: 1 }]) {
    assertThrows(
      () => findClients(client as never, {} as never),
      TypeError,
      "client must be made by proxyProtocol(), got ",
    );
  }
});

/** A connection that has received some bytes, and is asked for them. */
interface Fake {
  readonly remoteAddress: string | undefined;
  readonly remotePort?: number;
  received: Uint8Array;
  shown?: string;
}

/** A gate before connections that are no more than their bytes. */
function gate(options: Partial<ProxyProtocolOptions> = {}) {
  const limiter = new Limiter({ maxPerClient: 1 });
  const reads: number[] = [];
  const errors: unknown[] = [];
  const access = {
    peerOf: (conn: Fake) => conn,
    objectOf: (conn: Fake) => conn,
    read(conn: Fake, buffer: Uint8Array) {
      const bytes = conn.received.subarray(0, buffer.length);
      buffer.set(bytes);
      conn.received = conn.received.subarray(bytes.length);
      reads.push(buffer.length);
      return bytes.length === 0 ? null : reads.length % 2 === 0 ? bytes.length : Promise.resolve(bytes.length);
    },
    show: (conn: Fake, address: string, port: number) => void (conn.shown = `${address} ${port}`),
  };
  const port = {
    peerOf: (conn: Fake) => conn,
    admit: (_: Fake, { client }: { client: string }) => client,
    present: (conn: Fake) => conn,
    refuse: (_: Fake, { reason }: { reason: string }) => reason,
    drop: () => "dropped",
  };
  const stage = findClients(proxyProtocol({ trusted, ...options }), access)!;
  const offer = createGate(port, limiter, { onError: (error) => void errors.push(error) }, stage);
  return { offer, limiter, reads, errors, access };
}

test("proxyProtocol() decides at once on peers that are not trusted", () => {
  const { offer, reads } = gate();
  const conn = (remoteAddress?: string): Fake => ({ remoteAddress, received: bytes("PROXY UNKNOWN\r\n") });
  assertEquals([offer(conn("192.0.2.7")), offer(conn(undefined)), offer(conn("nonsense"))], [
    "untrusted-peer",
    "unknown-address",
    "unknown-address",
  ]);
  const direct = gate({ untrusted: "direct" });
  assertEquals([direct.offer(conn("192.0.2.7")), direct.offer(conn("192.0.2.7"))], ["192.0.2.7", "client"]);
  assertEquals([direct.offer(conn(undefined)), reads, direct.reads], ["unknown-address", [], []]);
});

test("proxyProtocol() counts health checks each for itself, and clients without an address together", async () => {
  const { offer } = gate({ trusted: [...trusted, "10.0.0.2"] });
  const from = (received: Uint8Array, port = 1, remoteAddress = "10.0.0.1") =>
    offer({ remoteAddress, remotePort: port, received });
  assertEquals(await from(v2(0x20, 0x11, BLOCK4), 1), "proxy 10.0.0.1 1");
  assertEquals(await from(v2(0x20, 0x11, BLOCK4), 2), "proxy 10.0.0.1 2");
  assertEquals(await from(bytes("PROXY UNKNOWN\r\n"), 3), "proxy 10.0.0.1");
  assertEquals(await from(v2(0x21, 0x00), 4), "client");
  assertEquals(await from(v2(0x21, 0x31, new Uint8Array(216)), 5, "::ffff:10.0.0.2"), "proxy 10.0.0.2");
  // Whoever has the proxy's address is another client.
  assertEquals(await from(bytes("PROXY TCP4 10.0.0.1 10.0.0.1 1 2\r\n"), 6), "10.0.0.1");
});

test("proxyProtocol() takes what another limiter has read", async () => {
  const { offer, limiter, access } = gate();
  const conn: Fake = {
    remoteAddress: "10.0.0.1",
    remotePort: 7,
    received: bytes("PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\nrest"),
  };
  assertEquals(await offer(conn), "192.0.2.7");
  assertEquals([conn.shown, String.fromCharCode(...conn.received)], ["192.0.2.7 1", "rest"]);
  const other = createGate(
    {
      ...access,
      admit: (_: Fake, { client }: { client: string }) => client,
      present: () => 0,
      refuse: () => "",
      drop: () => "",
    },
    new Limiter({ maxPerClient: 1 }),
    {},
    findClients(proxyProtocol({ trusted }), access),
  );
  assertEquals([other(conn), limiter.stats().pending], ["192.0.2.7", 0]);
  const { address, port, source } = proxyOf(conn)!;
  assertEquals([address, port, source], ["10.0.0.1", 7, { address: "192.0.2.7", port: 1 }]);
});

test("proxyProtocol() refuses TLS that has begun, and says what to use", () => {
  const { offer, errors, access } = gate();
  const finder = proxyProtocol({ trusted });
  assertThrows(
    () => findClients(finder, { ...access, tls: true }),
    TypeError,
    "client must be left out of a listener that speaks TLS",
  );
  Object.assign(access, { isTls: () => true });
  assertEquals(offer({ remoteAddress: "10.0.0.1", received: bytes("") }), "unavailable");
  assertEquals(errors.map((error) => (error as Error).message.includes("limitServer()")), [true]);
});

test("proxyOf() finds nothing where nothing is, and follows requests and TLS to the connection", async () => {
  const { offer } = gate();
  const conn: Fake = { remoteAddress: "10.0.0.1", received: bytes("PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n") };
  assertStrictEquals(proxyOf(conn), undefined);
  await offer(conn);
  const info = proxyOf(conn);
  assertEquals([proxyOf({ socket: conn }), proxyOf({ socket: { _parent: conn } })], [info, info]);
  const circle: { socket?: unknown } = {};
  circle.socket = circle;
  assertEquals([proxyOf(circle), proxyOf({ socket: null })], [undefined, undefined]);
});
