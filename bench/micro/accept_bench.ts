/**
 * How many connections does an accept loop take per second over real sockets: bare, admitting, and refusing?
 *
 * An iteration is a hundred loopback connections, each opened by the client and closed by the server. The client's system
 * calls are part of the time, the same for all three.
 *
 * It needs Linux and the permissions to use the network and FFI (`deno bench -A`), and is skipped without.
 *
 * @module
 */

import { limitedListener, type LimitsOptions } from "../../mod.ts";

const CONNECTIONS = 100;

const permissions = await Promise.all((["net", "ffi"] as const).map((name) => Deno.permissions.query({ name })));
const ignore = Deno.build.os !== "linux" || permissions.some(({ state }) => state !== "granted");
const group = `${CONNECTIONS} connections over sockets, accept loop${
  ignore ? " (needs Linux and `deno bench -A`)" : ""
}`;

/** Loading it opens the system's library. */
const system = ignore ? undefined : { ...await import("../lib/libc.ts"), ...await import("../lib/socket_load.ts") };

let turn = 0;

/** Closes all connections. Returns the port. */
function serve(limits?: LimitsOptions): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  // A waiting accept would keep the process running.
  listener.unref();
  (async () => {
    for await (const conn of limits === undefined ? listener : limitedListener(listener, limits)) conn.close();
  })();
  return listener.addr.port;
}

/** Opens the connections, and waits until the server has closed the last one. It accepts in order. */
async function visit(port: number): Promise<void> {
  const { addressOf, connect, libc, SOCK_NONBLOCK, SOCK_STREAM, socketAddress, SOURCES } = system!;
  const server = socketAddress("127.0.0.1", port);
  const sockets: number[] = [];
  while (sockets.length < CONNECTIONS - 1) {
    // From one address, the system would soon search long for a free port.
    sockets.push(connect(addressOf(turn++ % SOURCES), server, SOCK_STREAM | SOCK_NONBLOCK));
  }
  using last = await Deno.connect({ hostname: "127.0.0.1", port });
  if (await last.read(new Uint8Array(1)) !== null) throw new Error("the server has sent something");
  for (const socket of sockets) libc.close(socket);
}

const MODES: Readonly<Record<string, LimitsOptions | undefined>> = {
  "bare": undefined,
  "connlimit, admitted": { maxPerClient: Infinity },
  "connlimit, refused": { maxPerClient: 0 },
};

for (const [name, limits] of Object.entries(MODES)) {
  let port: number | undefined;
  // Deno awaits what is declared `async`, and nothing else.
  const run = async () => await visit(port ??= serve(limits));
  Deno.bench(`${group}: ${name}`, { group, ignore, baseline: limits === undefined }, run);
}
