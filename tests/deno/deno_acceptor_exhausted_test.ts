/**
 * A process runs out of file descriptors, and recovers.
 *
 * @module
 */

import { assert, assertStrictEquals } from "@std/assert";
import { ServerWithFew } from "../support/deno/few_descriptors.ts";
import { testUnless } from "../support/test_unless.ts";
import { connectFrom, ended } from "../support/net.ts";
import { noPosix } from "../support/platform.ts";

/** What `exhausted_server.ts` prints. */
interface State {
  readonly time: number;
  readonly open: number;
  readonly admitted: number;
  readonly errors: number;
  readonly code: unknown;
  readonly acceptErrors: number;
}

testUnless(
  noPosix,
  "limitedListener() survives having no file descriptors left, without spinning, and recovers",
  async () => {
    await using server = new ServerWithFew<State>(64, "exhausted_server.ts");
    const port = await server.port;
    const clients = await Promise.all(Array.from({ length: 100 }, () => connectFrom("127.0.0.1", port)));
    const exhausted = await server.until(({ errors }) => errors >= 3, "accepts to fail");
    assert(exhausted.open > 20 && exhausted.open < 64, `${exhausted.open} open`);
    assertStrictEquals(exhausted.code, "EMFILE");
    assertStrictEquals(exhausted.acceptErrors, exhausted.errors);

    // A few waits are short, and then there is one try in 200 ms, by the server's own clock; a loop that spins has tens of
    // thousands.
    const later = await server.until(({ time }) => time >= exhausted.time + 500, "half a second to pass");
    const [errors, tries] = [later.errors - exhausted.errors, 5 + (later.time - exhausted.time) / 200];
    assert(errors <= tries, `${errors} errors where there should be ${tries} at most`);

    for (const client of clients.splice(0, 80)) client[Symbol.dispose]();
    await server.until(({ admitted }) => admitted === 100, "the clients in the queue to be accepted");
    for (const client of clients) client[Symbol.dispose]();
    await server.until(({ open }) => open === 0, "all to be gone");
    using client = await connectFrom("127.0.0.1", port);
    client.socket.end("echo");
    assertStrictEquals(await ended(client), "echo");
  },
);
