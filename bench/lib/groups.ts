/**
 * The groups of benchmarks, and the checkouts that they measure.
 *
 * @module
 */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** By what is measured. */
export const GROUPS = [
  "core",
  "memory",
  "deno",
  "bun",
  "node",
  "http",
  "proxy",
  "deadlines",
  "full",
  "seeing",
  "shared",
] as const;

/** The name of one. */
export type Group = typeof GROUPS[number];

/** The root of a checkout, as a URL that ends with a slash. Throws if it holds no library. */
export function rootOf(folder: string): URL {
  const root = pathToFileURL(`${resolve(folder)}/`);
  Deno.statSync(new URL("mod.ts", root));
  return root;
}
