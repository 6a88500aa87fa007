/**
 * What a connection of Bun's is given that it cannot take, and certificates of clients that it does not trust.
 *
 * @module
 */

import { connect as connectTls } from "node:tls";
import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { listen } from "@connlimit/connlimit/bun";
import { stuck } from "../support/endings.ts";
import { nameOfError } from "../support/failures.ts";
import { aWhile, certificate, type Client, connected, ended, eventually, leavingNoSocket } from "../support/net.ts";
import { PLAIN, TLS } from "../support/bun/kinds.ts";
import { withPair } from "../support/bun/socket_conn_pair.ts";
import { bytes, readText } from "../support/text.ts";

/** What is no `Uint8Array`, and so neither written nor read into, as on Deno. */
const NO_BYTES: readonly unknown[] = [
  undefined,
  null,
  "text",
  5,
  {},
  [1, 2],
  () => {},
  new ArrayBuffer(4),
  new SharedArrayBuffer(4),
  new Uint16Array(2),
  new Uint8ClampedArray(2),
  new DataView(new ArrayBuffer(4)),
];

for (const kind of [PLAIN, TLS]) {
  test(`SocketConn.read() and write() reject with a TypeError for what are no bytes (${kind.name})`, () =>
    withPair(kind, async ({ conn, client, isOpen }) => {
      const rejections = async () => {
        for (const value of NO_BYTES) {
          // A call that throws instead ends the test.
          const names = [conn.read(value as never), conn.write(value as never)].map(nameOfError);
          assertEquals(await Promise.all(names), ["TypeError", "TypeError"], String(value));
        }
      };
      await rejections();
      client.socket.write("some words");
      assertStrictEquals(await readText(conn), "some words");
      const { writing } = await stuck((data) => conn.write(data), client);
      await rejections();
      assertStrictEquals(isOpen(), true);
      client.socket.write("more words");
      assertStrictEquals(await readText(conn), "more words");
      conn.close();
      assertStrictEquals(await nameOfError(writing), "Interrupted");
      await rejections();
      // As on Deno.
      assertStrictEquals(await conn.read(new Uint8Array(0)), 0);
      assertStrictEquals(await nameOfError(conn.write(new Uint8Array(0))), "BadResource");
      client.reset();
    }));

  test(`SocketConn.read() rejects when its buffer is transferred meanwhile, and the data is not lost (${kind.name})`, () =>
    withPair(kind, async ({ conn, client }) => {
      const buffer = new Uint8Array(8);
      const reads = [conn.read(buffer), conn.read(buffer.subarray(4))].map(nameOfError);
      const late = readText(conn);
      structuredClone(buffer, { transfer: [buffer.buffer] });
      client.socket.write("some words");
      assertEquals(await Promise.all(reads), ["TypeError", "TypeError"]);
      assertStrictEquals(await late, "some words");
    }));
}

/** Connects with the certificate that the server has, too, which it trusts only where `ca` says so. */
function connectWithCertificate(port: number): Promise<Client> {
  const { cert, key } = certificate();
  const target = { host: "127.0.0.1", port, servername: "localhost", ca: cert, cert, key };
  return connected(connectTls(target), "secureConnect");
}

for (const trusted of [true, false]) {
  for (const rejectUnauthorized of [undefined, true, false]) {
    const what = `${trusted ? "is" : "is not"} authorized, rejectUnauthorized: ${rejectUnauthorized}`;
    test(
      `SocketConn fails, and sends nothing, when Bun rejects the client's certificate (it ${what})`,
      leavingNoSocket(async () => {
        const tls = {
          ...certificate(),
          ...(trusted ? { ca: certificate().cert } : {}),
          requestCert: true,
          ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
        };
        using listener = limitedListener(listen({ hostname: "127.0.0.1", port: 0, tls }));
        const connecting = connectWithCertificate(listener.addr.port);
        using conn = await listener.accept();
        const [write, read] = [conn.write(bytes("welcome")), readText(conn)];
        read.catch(() => {});
        using client = await connecting;
        if (trusted || rejectUnauthorized === false) {
          client.socket.write("a request");
          assertEquals([await write, await read], [7, "a request"]);
          client.socket.end();
          assertStrictEquals(await readText(conn), null);
          conn.close();
          assertStrictEquals(await ended(client), "welcome");
        } else {
          assertEquals(await Promise.all([write, read].map(nameOfError)), ["InvalidData", "InvalidData"]);
          assertStrictEquals(await nameOfError(conn.read(new Uint8Array(1))), "InvalidData");
          assertStrictEquals(await ended(client), "");
          await eventually(() => listener.limiter.open === 0, "the slot to be free");
        }
      }),
    );
  }
}

test("SocketConn.read() of a client that leaves right after the handshake is its end, though Bun finds no certificate", () =>
  withPair(TLS, async ({ conn, client }) => {
    await aWhile();
    client.fin();
    assertStrictEquals(await readText(conn), null);
  }));
