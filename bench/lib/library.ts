/**
 * The library that a measured program loads: that of this checkout, or of the one at `CONNLIMIT_ROOT`.
 *
 * Measured programs use no option that differs between the two, so that one program measures both.
 *
 * @module
 */

import process from "node:process";

const ROOT = process.env.CONNLIMIT_ROOT ?? new URL("../../", import.meta.url).href;

/** Loads an entry point. Node has `import()` in scripts, but no `await` outside of functions. */
const load = (path: string) => import(new URL(path, ROOT).href);

export const loadCore = (): Promise<typeof import("../../mod.ts")> => load("mod.ts");
export const loadBun = (): Promise<typeof import("../../src/bun/mod.ts")> => load("src/bun/mod.ts");
export const loadNode = (): Promise<typeof import("../../src/node/mod.ts")> => load("src/node/mod.ts");
export const loadHttp = (): Promise<typeof import("../../src/http/mod.ts")> => load("src/http/mod.ts");
export const loadProxy = (): Promise<typeof import("../../src/proxy/mod.ts")> => load("src/proxy/mod.ts");
