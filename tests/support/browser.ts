/**
 * Chromium, without a window.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { type Browser, chromium } from "playwright-core";
import { isBun, isDeno, type Lack } from "./platform.ts";

const executablePath = ["chromium", "chromium-browser", "google-chrome"].find((command) =>
  spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0
);

/** Why there is no browser. One runtime is enough to drive it, and its driver is made for Node. */
export const noBrowser: Lack = isDeno || isBun
  ? "Node drives the browser"
  : executablePath === undefined && "there is no Chromium: apt-get install chromium";

/** Starts the browser. It asks nobody but the page's server for anything. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: executablePath!,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--disable-sync",
      "--disable-component-update",
      "--disable-background-networking",
      "--no-first-run",
    ],
  });
}
