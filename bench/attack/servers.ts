/**
 * The servers under attack, and how each is started.
 *
 * @module
 */

import { program, type RuntimeName } from "../load.ts";
import { RUNTIMES } from "../../tests/support/runtimes.ts";
import type { AttackName, Mode, Protocol } from "./attacks.ts";

/** A kind of server. */
export interface Kind {
  readonly runtime: RuntimeName;
  readonly file: string;
  readonly protocol: Protocol;
  readonly modes: readonly Mode[];
  /** What limits it. */
  readonly limitedBy: string;
}

const http = (runtime: RuntimeName): Kind => ({
  runtime,
  file: "attack/server_http.ts",
  protocol: "http",
  modes: ["limited", "bare"],
  limitedBy: "`limitServer()` with `tooManyConnections()`",
});

const fetch = (runtime: RuntimeName): Kind => ({
  runtime,
  file: "attack/server_fetch.ts",
  protocol: "requests",
  modes: ["limited", "bare"],
  limitedBy: "`limitRequests()`",
});

const tcp = (runtime: RuntimeName, modes: readonly Mode[]): Kind => ({
  runtime,
  file: "attack/server_tcp.ts",
  protocol: "tcp",
  modes,
  limitedBy: modes.length > 2
    ? "`limitedListener()`, and with callbacks `limitSocketHandler()`"
    : "`limitedListener()`",
});

export const SERVERS: Readonly<Record<string, Kind>> = {
  "Deno.listen": tcp("Deno", ["limited", "bare"]),
  "Bun.listen": tcp("Bun", ["limited", "callbacks", "bare"]),
  "node:http on Deno": http("Deno"),
  "node:http on Bun": http("Bun"),
  "node:http on Node": http("Node"),
  "Deno.serve": fetch("Deno"),
  "Bun.serve": fetch("Bun"),
};

/** The descriptors of a server that is to run out of them. */
const FEW = 400;

/** What starts a server. */
export async function serverOf({ runtime, file }: Kind, mode: Mode, attack: AttackName): Promise<Deno.Command> {
  const { command, args } = await RUNTIMES[runtime]();
  const line = runtime === "Deno"
    ? [command, "run", "-A", "--no-check", "--v8-flags=--expose-gc"]
    : [command, ...runtime === "Node" ? ["--expose-gc"] : [], ...args];
  const limit = attack === "descriptors" ? `ulimit -n ${FEW}; ` : "";
  return program(file, [attack, mode], {
    executable: "sh",
    command: ["-c", `${limit}exec "$@"`, "sh", ...line],
    stdin: "piped",
    stderr: "piped",
  });
}
