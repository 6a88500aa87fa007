/**
 * What all servers under attack have in common: their limits and hooks by the attack, and their commands.
 *
 * @module
 */

import process from "node:process";
import { setImmediate } from "node:timers";
import { serveCommands } from "../../bench/lib/commands.ts";
import { Limiter, type LimitsOptions, type Refusal } from "../../mod.ts";
import { collectGarbage } from "../../testing/memory.ts";
import { type AttackName, ATTACKS, MAX_PER_CLIENT, type Mode } from "./attacks.ts";

/** How a server is. */
export interface State {
  readonly port: number;
  readonly open: number;
  readonly peak: number;
  readonly refused: number;
  /** How often a hook was called. */
  readonly hooks: number;
}

const attack = process.argv[2] as AttackName;

/** What the server is to do with its connections. */
export const mode: Mode = process.argv[3] as Mode;

/** Attackers are one network, and its share is less than all descriptors. */
const ROOM: LimitsOptions = { maxPerClient: MAX_PER_CLIENT, aggregates: [{ ipv4Prefix: 24, max: 150 }] };

/** Limits that take turns. The honest clients never reach any of them. */
const CHANGES: readonly LimitsOptions[] = [
  { maxPerClient: MAX_PER_CLIENT },
  { maxPerClient: 4 },
  ROOM,
  { maxPerClient: MAX_PER_CLIENT, networks: { "127.0.3.0/24": { maxPerClient: 0 } } },
  { maxPerClient: 5, networks: { "127.0.0.0/16": { maxPerClient: MAX_PER_CLIENT } } },
];

const { work: WORK = 0 } = ATTACKS[attack];

/** Whether it has any. */
export const works: boolean = WORK > 0;

/** The work that the server has for each message. */
export function work(): void {
  if (!works) return;
  for (const end = performance.now() + WORK; performance.now() < end;);
}

/** A piece of a stream without end. */
export const CHUNK: Uint8Array<ArrayBuffer> = new Uint8Array(16 << 10);

/** The next piece, as from a disk: where it is at hand, megabytes go into buffers before anybody else is heard. */
export function nextChunk(): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve) => setImmediate(() => resolve(CHUNK)));
}

export const limiter: Limiter = new Limiter(attack === "descriptors" ? ROOM : { maxPerClient: MAX_PER_CLIENT });

let called = 0;

/** Hooks that fail in every way there is. */
const FAILING = {
  onRefused(_: Refusal): undefined {
    if (++called % 3 === 0) throw new Error("a hook threw");
    // What a hook in plain JavaScript can do.
    if (called % 3 === 1) return Promise.reject(new Error("a hook rejected")) as unknown as undefined;
    return Promise.resolve().then(() => {
      throw new Error("a hook threw later");
    }) as unknown as undefined;
  },
  onError(): never {
    throw new Error("onError threw");
  },
};

/** Whether the hooks are under attack too. */
export const failing: boolean = attack === "hooks";

export const hooks: Partial<typeof FAILING> = failing ? FAILING : {};

/** Serves the commands `state` and `collect`, which collects garbage. The first line is the state. */
export function serveState(port: number): void {
  const state = (): State => {
    const { open, peak, refused } = limiter.stats();
    return { port, open, peak, refused, hooks: called };
  };
  // Deno sets up its signals half a second after the start, and panics if it has no descriptors by then.
  process.on("SIGTERM", () => process.exit());
  if (attack === "limits") {
    let change = 0;
    setInterval(() => limiter.setLimits(CHANGES[change++ % CHANGES.length]!), 10);
  }
  serveCommands(state(), {
    state,
    collect() {
      collectGarbage();
      return state();
    },
  });
}
