/**
 * The servers of docs/seeing.md run as they are printed, except for the port.
 *
 * @module
 */

import { assertStrictEquals } from "@std/assert";
import { printed } from "../support/documentation.ts";
import { connectFrom, ended, eventually, reply } from "../support/net.ts";
import { oneAddress } from "../support/platform.ts";
import { testUnless } from "../support/test_unless.ts";
import { withPackages } from "../support/with_packages.ts";

const [logging] = printed("A log that can be left on", "docs/seeing.md");
const [measured] = printed("Metrics", "docs/seeing.md");

for (const runtime of ["Deno", "Bun", "Node"] as const) {
  for (
    const [name, program, lines] of [
      ["that logs refusals", logging!, "connlimit echo: refused 127.0.0.2 (client)\n"],
      ["with metrics", measured!, ""],
    ] as const
  ) {
    testUnless(
      oneAddress,
      `The documentation's server ${name} echoes for ten connections of a client, and refuses the next, on ${runtime}`,
      () =>
        withPackages(
          program.replace("listen(7000)", "listen(Number(process.argv[2]))"),
          runtime,
          async ({ port, output }) => {
            const clients = await Promise.all(Array.from({ length: 10 }, () => connectFrom("127.0.0.2", port)));
            for (const client of clients) assertStrictEquals(await reply(client, "hello"), "hello");
            for (let i = 0; i < 2; i++) {
              using refused = await connectFrom("127.0.0.2", port);
              assertStrictEquals(await ended(refused), "");
            }
            await eventually(() => output().length >= lines.length, "the line");
            assertStrictEquals(output(), lines);
            for (const client of clients) client[Symbol.dispose]();
          },
          { stderr: "output" },
        ),
    );
  }
}
