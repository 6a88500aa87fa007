/**
 * The loop that everybody writes first, and what becomes of it among the same clients.
 *
 * @module
 */

import { type Client, crowd, visit } from "./crowd.ts";
import type { Doors } from "./doors.ts";
import { pause } from "./pause.ts";

/** For each connection the server looks something up, as most do. Meanwhile the next clients come, and some of them go. */
const LOOKUP_MS = 1;

/** What became of the loop. */
export interface Outcome {
  /** Connections that it has served. */
  readonly served: number;
  /** Seconds until it ended, and by what. Absent if it was still running. */
  readonly end: { readonly seconds: number; readonly error: unknown } | undefined;
  /** Connections that clients have tried to open since then. */
  readonly unserved: number;
}

/** Runs a bare accept loop for some milliseconds, with a crowd of its own. */
export async function runBareLoop({ listeners, routes }: Doors, ms: number): Promise<Outcome> {
  const start = performance.now();
  const clients = crowd();
  const open = new Set<Deno.Conn>();
  let served = 0;
  let end: Outcome["end"];
  let triedBefore = 0;
  const closing = new AbortController();
  const loops = listeners.map(async (listener) => {
    try {
      for await (const conn of listener) {
        served++;
        open.add(conn);
        await pause(LOOKUP_MS);
        conn.readable.pipeTo(conn.writable).catch(() => {}).finally(() => open.delete(conn));
      }
    } catch (error) {
      if (end !== undefined) return;
      end = { seconds: (performance.now() - start) / 1_000, error };
      triedBefore = tries(clients);
    }
  });
  const visits = clients.map((client) => visit(client, routes.get(client.address)!, closing.signal));
  await pause(ms);
  closing.abort();
  // A loop that has ended by an error has closed its listener.
  for (const listener of listeners) close(listener);
  for (const conn of open) close(conn);
  await Promise.all([...loops, ...visits]);
  return { served, end, unserved: end === undefined ? 0 : tries(clients) - triedBefore };
}

function tries(clients: readonly Client[]): number {
  return clients.reduce((sum, { tried }) => sum + tried, 0);
}

function close(resource: { close(): void }): void {
  try {
    resource.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** The outcome, for people to read. */
export function tellOutcome({ served, end, unserved }: Outcome): string[] {
  if (end === undefined) return [`It has served ${served} connections, as clients here were lucky.`];
  const name = end.error instanceof Error ? `${end.error.name}: ${end.error.message}` : `${end.error}`;
  return [
    `It ended after ${end.seconds.toFixed(2)} s: ${name}.`,
    `A client had reset its connection before the accept. ${served} connections were served; the next ${unserved} were not.`,
  ];
}
