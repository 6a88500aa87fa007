/**
 * What the library tells once about a deployment, and the page about it.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { type Check, CHECKS, printOnce, tellOnce } from "../../src/admission/checks.ts";
import { printed } from "../support/console.ts";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), "utf8");

test("tellOnce() tells each finding once about each thing, to onError or else on the console", async () => {
  const [one, other] = [() => {}, () => {}];
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const calls = await printed(() => {
    for (let i = 0; i < 3; i++) {
      tellOnce(one, "proxy-refused", onError, () => `first ${i}`, "a");
      tellOnce(one, "proxy-refused", onError, () => `second ${i}`, "b");
      tellOnce(one, "client-unnamed", onError, () => `third ${i}`, "a");
      tellOnce(other, "proxy-refused", undefined, () => `fourth ${i}`, "a");
      tellOnce(one, "proxy-refused", undefined, () => `not told ${i}`, "a");
    }
  });
  assertEquals(errors.map(String), [
    "TypeError: first 0 (see docs/checks.md#proxy-refused)",
    "TypeError: second 0 (see docs/checks.md#proxy-refused)",
    "TypeError: third 0 (see docs/checks.md#client-unnamed)",
  ]);
  assertEquals(calls, [["connlimit: fourth 0 (see docs/checks.md#proxy-refused)"]]);
});

test("tellOnce() makes a message only when it tells it", () => {
  const about = {};
  const told: string[] = [];
  let made = 0;
  const onError = (error: unknown) => told.push((error as Error).message);
  for (let i = 0; i < 3; i++) tellOnce(about, "proxy-refused", onError, () => `message ${++made}`);
  assertEquals([made, told], [1, ["message 1 (see docs/checks.md#proxy-refused)"]]);
});

test("printOnce() prints the first error about each thing", async () => {
  const [one, other] = [{}, {}];
  const calls = await printed(() => {
    for (const about of [one, one, other, one]) printOnce(about, "accept-failed", "error");
  });
  const line = "connlimit: cannot accept, trying again (printed once; set onError to see all) " +
    "(see docs/checks.md#accept-failed):";
  assertEquals(calls, [[line, "error"], [line, "error"]]);
});

test("docs/checks.md has a section for each check, in their order, and no other", () => {
  const sections = read("docs/checks.md").split(/^## /m).slice(1);
  assertEquals(sections.map((section) => section.split("\n", 1)[0]), Object.keys(CHECKS));
  for (const section of sections) {
    const parts = [...section.matchAll(/^\*\*(.+?):\*\*/gm)].map(([, part]) => part);
    assertEquals(parts, ["Seen", "Why it matters", "What to do"], section);
  }
});

const sources = readdirSync(new URL("src/", ROOT), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => [name.replaceAll("\\", "/"), read(`src/${name}`)] as const);

test("every check is used, and has a text here or where it is told", () => {
  const users = sources.filter(([name]) => name !== "admission/checks.ts").map(([, text]) => text).join("\n");
  assertEquals(Object.keys(CHECKS).filter((check) => !users.includes(`"${check}"`)), []);
  const told: Check[] = ["proxy-refused", "client-unnamed"];
  assertEquals(Object.entries(CHECKS).flatMap(([check, text]) => text === "" ? [check] : []), told);
});

test("only checks and failed hooks are printed", () => {
  const printing = sources.filter(([, text]) => /^(?! *\*).*\bconsole\.(?:error|warn|log|info)\(/m.test(text));
  assertEquals(printing.map(([name]) => name).sort(), ["admission/checks.ts", "admission/hooks.ts"]);
});
