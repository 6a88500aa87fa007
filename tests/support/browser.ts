/**
 * Chromium, without a window.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import type { Browser } from "playwright-core";
import { type Lack, lackUnless } from "../../testing/loopback.ts";

/** The first that is on the path. The driver wants to be told where it is. */
const executablePath = ["chromium", "chromium-browser", "google-chrome"]
  .flatMap((command) => (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, command)))
  .find((path) => existsSync(path));

export const noBrowser: Lack = lackUnless(
  executablePath !== undefined,
  "there is no Chromium: apt-get install chromium",
);

/** Starts the browser. It asks nobody but the page's server for anything. */
export async function launch(): Promise<Browser> {
  // Whoever only wants to know whether there is a browser needs no driver.
  const { chromium } = await import("playwright-core");
  return await chromium.launch({
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
