/**
 * The program that puts load on servers, and takes their CPU time meanwhile.
 *
 *   deno run -A bench/lib/load.ts
 *
 * It has one core to itself, and the measured processes have the others. Its command `observe` carries out a plan, and
 * returns the observations. Linux only.
 *
 * @module
 */

import { serveCommands } from "./commands.ts";
import { CORES, cpuTime, pin } from "./cpu.ts";
import { EchoClient, Flood } from "./flood.ts";
import { SilentConnections } from "./silent.ts";
import { HeldConnections } from "./held.ts";
import { HttpLoad } from "./http_load.ts";
import type { Observation, Plan } from "./load_generator.ts";
import { MessageLoad } from "./message_load.ts";
import { type SocketLoad, SOURCES } from "./socket_load.ts";

/** Milliseconds from an echo to the next byte. Without, the client would be served most often while it is served best. */
const PAUSE = 1;
/** Steps between looks at the clock. */
const STEPS = 32;
/** A phase ends when so many are done, and fails after so many milliseconds more. */
const LEAST_DONE = 200;
const PATIENCE = 10_000;
const LOADS = { connections: Flood, requests: HttpLoad, messages: MessageLoad } as const;

function observe({ of, ports: [loaded, kept], pids, floodersHold = false, header = [], phases }: Plan): Observation[] {
  for (const pid of pids) pin(pid, CORES);
  using stack = new DisposableStack();
  const beginning = Uint8Array.from(header);
  const held = phases.some(({ held }) => held)
    ? stack.use(new HeldConnections(kept!, floodersHold ? 0 : SOURCES))
    : undefined;
  const client = phases.some(({ echoes }) => echoes) ? stack.use(new EchoClient(kept!, PAUSE, beginning)) : undefined;
  const load: SocketLoad = stack.use(new LOADS[of](loaded, 1, beginning));
  const silent = stack.use(new SilentConnections(loaded));
  return phases.map((phase) => {
    if (held !== undefined) held.count = phase.held ?? 0;
    silent.count = phase.silent ?? 0;
    load.inFlight = phase.inFlight;
    const echoing = phase.echoes ? client : undefined;
    run(load, echoing, phase.warmUp);
    const [done, echoed, cpu] = [load.done, client?.times.length, pids.map(cpuTime)];
    const milliseconds = run(load, echoing, phase.window);
    return {
      done: load.done - done,
      milliseconds,
      cpu: pids.map((pid, index) => cpuTime(pid) - cpu[index]!),
      echoes: client === undefined ? [] : [...client.times.slice(echoed), ...client.waiting()],
    };
  });
}

/** @returns How many milliseconds it took. */
function run(load: SocketLoad, client: EchoClient | undefined, milliseconds: number): number {
  const [start, done] = [performance.now(), load.done];
  for (;;) {
    for (let i = 0; i < STEPS; i++) {
      if (load.inFlight > 0) load.step();
      client?.step();
    }
    const passed = performance.now() - start;
    if (passed >= milliseconds && (load.inFlight === 0 || load.done - done >= LEAST_DONE)) return passed;
    if (passed >= milliseconds + PATIENCE) throw new Error("the server does not serve what the load opens");
  }
}

pin(Deno.pid, [0]);
serveCommands(null, { observe });
