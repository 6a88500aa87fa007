/**
 * The servers of the documentation whose proxies send the PROXY protocol, run as a user runs them.
 *
 * @module
 */

import { printed } from "../support/documentation.ts";
import { connectFrom, eventually } from "../support/net.ts";
import { projectOf } from "../support/published.ts";
import { withServer } from "../support/with_server.ts";

const REQUEST = "PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

for (const [heading, runtime] of [["The PROXY protocol", "Deno"], ["Where the header can be read", "Bun"]] as const) {
  const [program] = printed(heading, "docs/behind-a-proxy.md");
  Deno.test(`The server below "${heading}" in the documentation shows the client (${runtime})`, async () => {
    const cwd = await projectOf(runtime);
    const argsAt = async (port: number) => {
      const file = await Deno.makeTempFile({ dir: cwd, suffix: ".ts" });
      await Deno.writeTextFile(file, program!.replaceAll("7000", `${port}`));
      return [...runtime === "Deno" ? ["run", "--quiet", "--check", `--allow-net=127.0.0.1:${port}`] : [], file];
    };
    await withServer(runtime, argsAt, async ({ port, output }) => {
      using client = await connectFrom("127.0.0.1", port);
      let text = "";
      client.socket.on("data", (data) => text += data).write(REQUEST);
      await eventually(() => (text + output()).includes("192.0.2.7"), "the client's address");
    }, { cwd });
  });
}
