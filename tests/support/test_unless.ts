/**
 * Tests that are skipped where the system lacks something, on every runtime.
 *
 * @module
 */

import { test } from "node:test";
import { isDeno, type Lack } from "./platform.ts";

/**
 * A test that is skipped where something is lacking; on Deno its name then says what. On Deno it is one of `Deno.test()`,
 * whose sanitizers see what of Deno's is left open.
 */
export function testUnless(lack: Lack, name: string, run: () => Promise<void>): void {
  if (!isDeno) test(name, { skip: lack }, run);
  else Deno.test(lack ? `${name} (skipped: ${lack})` : name, { ignore: lack !== false }, run);
}
