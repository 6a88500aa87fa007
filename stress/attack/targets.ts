/**
 * The servers under attack, and how each is started.
 *
 * @module
 */

import { Child } from "../../bench/lib/child.ts";
import type { RuntimeName } from "../../testing/runtimes.ts";
import type { AttackName, Mode, Protocol } from "./attacks.ts";
import type { State } from "./target.ts";

/** A kind of server. */
export interface Kind {
  readonly runtime: RuntimeName;
  readonly file: string;
  readonly protocol: Protocol;
  readonly modes: readonly Mode[];
  /** What limits it. */
  readonly limitedBy: string;
}

const FILES: Readonly<Record<Protocol, string>> = {
  tcp: "target_tcp.ts",
  http: "target_http.ts",
  requests: "target_fetch.ts",
};

const LIMITED_AND_BARE: readonly Mode[] = ["limited", "bare"];

const http = (runtime: RuntimeName) => kind(runtime, "http", "`limitServer()` with `tooManyConnections()`");
const fetch = (runtime: RuntimeName) => kind(runtime, "requests", "`limitRequests()`");

function kind(
  runtime: RuntimeName,
  protocol: Protocol,
  limitedBy: string,
  modes: Kind["modes"] = LIMITED_AND_BARE,
): Kind {
  return { runtime, file: FILES[protocol], protocol, modes, limitedBy };
}

export const SERVERS: Readonly<Record<string, Kind>> = {
  "Deno.listen": kind("Deno", "tcp", "`limitedListener()`"),
  "Bun.listen": kind(
    "Bun",
    "tcp",
    "`limitedListener()`, and with callbacks `limitSocketHandler()`",
    ["limited", "callbacks", "bare"],
  ),
  "node:http on Deno": http("Deno"),
  "node:http on Bun": http("Bun"),
  "node:http on Node": http("Node"),
  "Deno.serve": fetch("Deno"),
  "Bun.serve": fetch("Bun"),
};

/** The descriptors of a server that is to run out of them. */
const FEW = 400;

/** Starts a server. */
export function startTarget({ runtime, file }: Kind, mode: Mode, attack: AttackName): Promise<Child<State>> {
  return Child.start<State>(new URL(file, import.meta.url), [attack, mode], {
    runtime,
    v8Flags: ["--expose-gc"],
    descriptors: attack === "descriptors" ? FEW : undefined,
    quiet: true,
  });
}
