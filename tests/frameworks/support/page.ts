/**
 * Pages of `docs/`, and the servers on them in a process of a runtime.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { assert } from "@std/assert";
import { getAvailablePort } from "@std/net";
import type { RuntimeName } from "../../../testing/runtimes.ts";
import { serversIn } from "../../support/documentation.ts";
import { connectFrom, eventually, ownPort, reply } from "../../support/net.ts";
import { ROOT, type Serving, withServer } from "../../support/with_server.ts";

/** A server of a page. */
export interface Printed {
  /** The heading above it. */
  readonly heading: string;
  readonly code: string;
}

/** The servers of a page, in their order. */
export function serversOf(page: string): Printed[] {
  const sections = Deno.readTextFileSync(new URL(`docs/${page}`, ROOT)).split(/^#+ /m);
  return sections.flatMap((section) => {
    const heading = section.split("\n", 1)[0]!;
    return serversIn(section).map((code) => ({ heading, code }));
  });
}

/** Servers that listen, and what is known inside. */
export interface Hosted {
  readonly serving: Serving;
  readonly ports: readonly number[];
  /** Waits until so many slots are held, by all the servers together. */
  open(count: number): Promise<void>;
  /** Lets the requests go on that wait in their handlers. */
  go(): Promise<void>;
}

const FOLDER = new URL("../", import.meta.url);

/** Runs programs in one process, each at a port of its own. */
export async function withHosted(
  programs: readonly string[],
  runtime: RuntimeName,
  use: (hosted: Hosted) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ dir: fileURLToPath(FOLDER), prefix: "programs-" });
  try {
    const ports: number[] = [];
    const files = await Promise.all(programs.map(async (program, index) => {
      assert(program.includes("7000"), program);
      const port = ports[index] = getAvailablePort({ preferredPort: ownPort() });
      const file = `${folder}/${index}.${runtime === "Node" ? "mts" : "ts"}`;
      await Deno.writeTextFile(file, program.replaceAll("7000", `${port}`));
      return file;
    }));
    const run = runtime === "Deno" ? ["run", "-A", "--quiet"] : [];
    const argsAt = (port: number) => [...run, "support/host.ts", `${port}`, ...files];
    await withServer(runtime, argsAt, async (serving) => {
      const ask = async (word: string) => {
        using client = await connectFrom("127.0.0.1", serving.port);
        return Number(await reply(client, word));
      };
      let last = NaN;
      try {
        await use({
          serving,
          ports,
          open: async (count) => {
            const held = async () => (last = await ask("open")) === count;
            await eventually(held, `${count} slots`).catch((error) => {
              throw new Error(`${error.message}; there were ${last}`);
            });
          },
          go: async () => void await ask("go"),
        });
      } finally {
        // Frameworks have signals of their own for a graceful end.
        serving.program.kill("SIGKILL");
      }
    }, { cwd: FOLDER, stderr: "inherit" });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
