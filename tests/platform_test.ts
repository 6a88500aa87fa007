/**
 * That tests are skipped for what is lacking, and for nothing else.
 *
 * @module
 */

import { createServer, type ListenOptions } from "node:net";
import { test } from "node:test";
import { assertStrictEquals } from "@std/assert";
import { findSockets, hiddenSockets, noIPv6, noUnixSockets, oneAddress } from "./support/platform.ts";
import { Folder } from "./support/folder.ts";

/** Whether a server can listen there; `meanwhile` is called while it does. */
async function canListen(where: ListenOptions, meanwhile = () => {}): Promise<boolean> {
  const server = createServer();
  const listens = await new Promise<boolean>((resolve) => {
    server.on("error", () => resolve(false));
    server.listen(where, () => resolve(true));
  });
  if (!listens) return false;
  meanwhile();
  await new Promise((resolve) => server.close(resolve));
  return true;
}

test("Tests have the addresses that they think they have", async () => {
  for (const [host, lack] of [["127.0.0.2", oneAddress], ["127.0.0.100", oneAddress], ["::1", noIPv6]] as const) {
    assertStrictEquals(await canListen({ host, port: 0 }), lack === false, host);
  }
});

test("Tests can have Unix sockets", { skip: noUnixSockets }, async () => {
  using folder = new Folder();
  assertStrictEquals(await canListen({ path: folder.file() }), true);
});

test("Tests see every socket that is open", { skip: hiddenSockets }, async () => {
  const before = findSockets().size;
  let meanwhile = 0;
  await canListen({ host: "127.0.0.1", port: 0 }, () => meanwhile = findSockets().size);
  assertStrictEquals(meanwhile, before + 1);
});
