/**
 * Rounds, in which compared servers are measured next to each other.
 *
 * @module
 */

/** Rounds that do not count: the servers' code is optimised in them. */
const WARM_UP = 2;

/**
 * Starts a server for each mode, measures them in turns, and ends them.
 *
 * The order is reversed with each round. Otherwise a machine that becomes slower or faster would favour one mode.
 *
 * @param measureOnce Measures a server. Rounds below 0 do not count.
 * @returns By mode, a figure a round.
 */
export async function measureInRounds<M extends string, S extends Disposable, F>(
  start: (mode: M) => Promise<S>,
  modes: readonly M[],
  rounds: number,
  measureOnce: (server: S, round: number) => Promise<F>,
  warmUp: number = WARM_UP,
): Promise<Record<M, F[]>> {
  const results = Object.fromEntries(modes.map((mode) => [mode, [] as F[]])) as Record<M, F[]>;
  using stack = new DisposableStack();
  const servers: [mode: M, server: S][] = [];
  for (const mode of modes) servers.push([mode, stack.use(await start(mode))]);
  for (let round = -warmUp; round < rounds; round++) {
    for (const [mode, server] of alternating(servers, round)) {
      const figure = await measureOnce(server, round);
      if (round >= 0) results[mode].push(figure);
    }
  }
  return results;
}

/** The order is reversed with each round. */
export function alternating<T>(modes: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? modes : modes.toReversed();
}
