/**
 * The front process and its worker as `docs/runtimes.md` prints them, in a project that has the package as it is published.
 *
 * @module
 */

import { connectFrom, eventually } from "../support/net.ts";
import { oneAddress } from "../support/platform.ts";
import { projectOf } from "../support/published.ts";
import { echo, openTenAndReset } from "../support/ten_connections.ts";
import { testUnless } from "../support/test_unless.ts";
import { ROOT, withServer } from "../support/with_server.ts";

const text = await Deno.readTextFile(new URL("docs/runtimes.md", ROOT));
const [, program] = /### Sockets sent to another process\n[^]*?```ts ignore\n([^]*?)```/.exec(text)!;

// Not on Deno, where the worker may miss that its front has ended, and would outlive the test.
for (const runtime of ["Bun", "Node"] as const) {
  testUnless(oneAddress, `The documentation's front process limits what its worker serves, on ${runtime}`, async () => {
    const cwd = await projectOf(runtime);
    const argsAt = async (port: number) => {
      const file = await Deno.makeTempFile({ dir: cwd, suffix: ".ts" });
      await Deno.writeTextFile(file, program!.replaceAll("7000", `${port}`));
      return [file];
    };
    await withServer(runtime, argsAt, async ({ port }) => {
      for (const client of await openTenAndReset(port)) client[Symbol.dispose]();
      // All ten, however they have ended.
      await eventually(async () => {
        const clients = await Promise.all(Array.from({ length: 10 }, () => connectFrom("127.0.0.2", port)));
        const echoes = await Promise.all(clients.map(echo));
        for (const client of clients) client[Symbol.dispose]();
        return echoes.every((word) => word === "hello");
      }, "ten slots to be free");
    }, { cwd });
  });
}
