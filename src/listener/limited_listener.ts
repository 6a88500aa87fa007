/**
 * `limitedListener()`: the accept loop that yields only admitted connections.
 *
 * @module
 */

import { checkClient, type ClientFinder, findClients } from "../admission/client_finder.ts";
import { checkDeadlines, type DeadlineOptions, DEADLINES } from "../admission/deadline_options.ts";
import { checkEvictions, type EvictionOptions, EVICTIONS, noBacklog } from "../admission/eviction_options.ts";
import { checkLimitedOnce, markLimited } from "../admission/limit_once.ts";
import { patientStage } from "../admission/patient_stage.ts";
import { type AnswerHooks, checkAnswerHooks } from "../admission/refusal_answer.ts";
import { stageFor } from "../admission/stage_for.ts";
import { WaitingLimiter } from "../admission/waiting_limiter.ts";
import { type BunAcceptor, bunAcceptor } from "../bun/bun_acceptor.ts";
import { isBunListener } from "../bun/native.ts";
import type { Acceptor } from "../conn/acceptor.ts";
import type { AcceptorListener } from "../conn/acceptor_listener.ts";
import { LimitedAcceptorListener } from "../conn/limited_acceptor_listener.ts";
import type { ConnLike } from "../conn/limited_conn.ts";
import type { LimitedListener, LimitedListenerOptions } from "../conn/limited_listener.ts";
import type { ListenerLike } from "../conn/listener_like.ts";
import type { Admitter, GivenLimits, LimiterOf } from "../core/admitter.ts";
import type { Limiter } from "../core/limiter.ts";
import type { LimitsOptions } from "../core/limits.ts";
import { toLimiter } from "../core/to_limiter.ts";
import { checkSignal } from "../core/validate.ts";
import { denoAcceptor } from "../deno/deno_acceptor.ts";
import { denoAccess } from "../deno/deno_access.ts";
import { type AddrOf, type AnyListener, checkListener, type ConnOf } from "./any_listener.ts";

/**
 * Limits a listener of Deno or Bun: yields admitted connections and closes the others.
 *
 * Each connection holds a slot until it closes, however that happens. Clients that reset and a lack of file descriptors
 * do not end the loop.
 *
 * Call it right after `Bun.listen()`, whose handlers it replaces, and which needs `allowHalfOpen: true`. For the caveats of
 * each runtime, such as TLS on Deno, see docs/runtimes.md in the repository.
 *
 * @example An echo server
 * ```ts ignore
 * import { limitedListener } from "@connlimit/connlimit";
 *
 * for await (const conn of limitedListener(Deno.listen({ port: 7000 }), { maxPerClient: 10 })) {
 *   echo(conn);
 * }
 *
 * async function echo(conn: Deno.Conn) {
 *   using _ = conn;
 *   await conn.readable.pipeTo(conn.writable).catch(() => {});
 * }
 * ```
 *
 * @param listener A listener that nothing else accepts from. Close it through the limited one.
 * @param limits A limiter, which several listeners may share, or limits for a new one. By default a client may have 100
 * connections. It may be a limiter that takes its time.
 * @param options An answer for refused clients, deadlines, hooks and a signal.
 * @returns The limited listener.
 * @throws {TypeError} For an unknown option, a value of the wrong type, a limiter that the listener has already, or a
 * listener of Bun that is closed or limited already.
 * @throws {RangeError} For a limit or a deadline out of its range.
 */
export function limitedListener<N extends AnyListener, L extends GivenLimits = Limiter>(
  listener: N,
  limits: L | LimitsOptions = {},
  options: LimitedListenerOptions<ConnOf<N>> = {},
): LimitedListener<ConnOf<N>, AddrOf<N>, LimiterOf<L>> {
  checkAnswerHooks("listener", options, ["signal", "client", ...DEADLINES, ...EVICTIONS]);
  checkDeadlines(options);
  checkEvictions(options, isOfBun(listener) ? NO_WAIT : undefined);
  checkSignal("signal", options.signal);
  // Before a listener of Bun's is taken over, which cannot be undone.
  checkClient(options.client);
  checkListener(listener, limits);
  const limiter = toLimiter(limits);
  checkLimitedOnce("listener", listener, limiter);
  const acceptor = acceptorOf(listener, limiter, options as ListenerHooks, options.client);
  const limited = new LimitedAcceptorListener(acceptor as Acceptor<ConnOf<N>, AddrOf<N>>, limiter, options);
  return markLimited(limited, listener, limiter);
}

/** Why connections cannot wait. */
const NO_WAIT = noBacklog("Bun", "run the listener on Deno, or let requests wait with limitRequests()");

/** Whether a listener is Bun's, or one over it. */
function isOfBun(listener: unknown): boolean {
  const { acceptor } = (listener ?? {}) as Partial<AcceptorListener<never, unknown>>;
  return isBunListener(listener) || (acceptor as Partial<BunAcceptor<never>> | undefined)?.limit !== undefined;
}

type ListenerHooks = AnswerHooks<ConnLike> & DeadlineOptions<ConnLike> & EvictionOptions<ConnLike, "wait">;

function acceptorOf(
  listener: AnyListener,
  limiter: Admitter,
  hooks: ListenerHooks,
  client: ClientFinder | undefined,
): Acceptor<ConnLike, unknown> {
  const acceptor = isBunListener(listener)
    ? bunAcceptor(listener)
    : (listener as Partial<AcceptorListener<never, unknown>>)?.acceptor as Partial<BunAcceptor<never>> | undefined;
  if (acceptor?.limited === false) {
    acceptor.limit!(
      limiter,
      hooks as AnswerHooks<ConnLike>,
      findClients(client, acceptor.access!) ?? stageFor(limiter),
    );
    return acceptor as Acceptor<never, unknown>;
  }
  const pending = findClients(client, denoAccess(listener));
  if (hooks.whenFull === "wait") {
    return denoAcceptor(listener as ListenerLike, WaitingLimiter.of(limiter), hooks, patientStage(pending));
  }
  return denoAcceptor(listener as ListenerLike, limiter, hooks, pending ?? stageFor(limiter));
}
