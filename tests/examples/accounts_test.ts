/**
 * The documentation's servers that limit accounts as well, attacked: their clients leave slots to others, and the servers
 * go on.
 *
 * @module
 */

import { assert, assertStrictEquals } from "@std/assert";
import { printed } from "../support/documentation.ts";
import { type Client, connectFrom, eventually, reply } from "../support/net.ts";
import { oneAddress } from "../support/platform.ts";
import { testUnless } from "../support/test_unless.ts";
import { withPackages } from "../support/with_packages.ts";
import { ROOT } from "../support/with_server.ts";

const [byAccount] = printed("Several limiters for one connection", "docs/limiter.md");

/** The example of `withSlot()`, with what it leaves out. */
const example = /```ts ignore\n([^]*?)```/.exec(await Deno.readTextFile(new URL("src/listener/with_slot.ts", ROOT)))!;
const byWithSlot = `
  import { limitedListener, Limiter, withSlot } from "@connlimit/connlimit";

  const listener = Deno.listen({ port: 7000 });
  const accounts = new Limiter({ maxPerClient: 2 });
  async function accountOf(conn: Deno.Conn) {
    const buffer = new Uint8Array(100);
    return new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
  }
  ${example[1]!.replace(/^ \* ?/gm, "").replace("…", "await conn.readable.pipeTo(conn.writable);")}
`;

for (const [name, program, most] of [["docs/limiter.md", byAccount!, 10], ["withSlot()", byWithSlot, 100]] as const) {
  testUnless(
    oneAddress,
    `The server with accounts of ${name} keeps no slot, whatever clients do, and goes on`,
    () =>
      withPackages(program.replace("7000", "Number(process.argv[2])"), "Deno", async ({ port }) => {
        assert(program.includes("7000"));
        const connect = () => connectFrom("127.0.0.2", port);
        const logIn = async (account: string) => {
          const client = await connect();
          // As much as the server reads, so that it takes nothing else for a part of the name.
          client.socket.write(account.padEnd(100));
          return [client, await reply(client, "hello") === "hello"] as const;
        };
        /** Logs in as soon as there is room, which those that have left are about to make. */
        const served = async (account: string) => {
          let client!: Client;
          await eventually(async () => {
            const [tried, isServed] = await logIn(account);
            if (isServed) client = tried;
            else tried[Symbol.dispose]();
            return isServed;
          }, `${account} to be served`);
          return client;
        };
        const leave = [(client: Client) => client.fin(), (client: Client) => client.reset()];
        for (const how of leave) {
          // Before they have said who they are, as many as there may be.
          for (const client of await Promise.all(Array.from({ length: most }, connect))) how(client);
          const clients = [await served("alice"), await served("alice")];
          // When the account is full, and when they are served.
          const [third, isServed] = await logIn("alice");
          assertStrictEquals(isServed, false);
          for (const client of [third, ...clients]) how(client);
          (await served("alice"))[Symbol.dispose]();
        }
        // All that an address may have is free.
        const clients: Client[] = [];
        for (let i = 0; i < most; i++) clients.push(await served(`account ${i}`));
        for (const client of clients) client[Symbol.dispose]();
      }),
  );
}
