/**
 * Clients in a process of their own, on every runtime.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import process from "node:process";
import { assertStrictEquals } from "@std/assert";

/** Runs a program of the same runtime, and waits for its end: meanwhile this process accepts nothing. */
export function runOutside(program: string): void {
  const { execPath, versions } = process;
  const evaluate = "deno" in versions ? ["eval"] : "bun" in versions ? ["-e"] : ["--input-type=module", "-e"];
  assertStrictEquals(spawnSync(execPath, [...evaluate, program], { stdio: "inherit" }).status, 0);
}

/** Has clients connect and reset, one after the other, before any of them can be accepted. */
export function resetFromOutside(port: number, times: number): void {
  runOutside(`
    import { connect } from "node:net";
    for (let i = 0; i < ${times}; i++) {
      const socket = connect(${port}, "127.0.0.1");
      await new Promise((resolve) => socket.on("connect", resolve));
      socket.resetAndDestroy();
      await new Promise((resolve) => socket.on("close", resolve));
    }
  `);
}
