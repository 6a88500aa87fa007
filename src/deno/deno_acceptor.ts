/**
 * The acceptor of a Deno listener, or of one in its shape.
 *
 * Deno's own iterator ends at the first accept that fails, and any client can cause that by a reset. This acceptor calls
 * `accept()` one call at a time, only while its consumer waits. It ends only when the listener is closed.
 *
 * @module
 */

import { setTimeout } from "node:timers/promises";
import { printOnce } from "../admission/checks.ts";
import type { DeadlineOptions } from "../admission/deadline_options.ts";
import type { EvictionOptions } from "../admission/eviction_options.ts";
import { Evictor } from "../admission/evictor.ts";
import { createGate } from "../admission/gate.ts";
import { callHook, hookFailed } from "../admission/hooks.ts";
import { OPEN_CONN, OpenConns, type Recorded } from "../admission/open_conn.ts";
import type { PendingStage } from "../admission/pending_stage.ts";
import type { Admitter, Port } from "../admission/port.ts";
import { type AnswerHooks, RefusalAnswers } from "../admission/refusal_answer.ts";
import { TimedConns } from "../admission/timed_conns.ts";
import { WaitingLimiter } from "../admission/waiting_limiter.ts";
import type { Acceptor } from "../conn/acceptor.ts";
import type { ConnLike, LimitedConn } from "../conn/limited_conn.ts";
import type { ListenerLike } from "../conn/listener_like.ts";
import { muteRejections } from "../conn/mute_rejections.ts";
import { ReadyQueue } from "../conn/ready_queue.ts";
import { sendAnswer } from "../conn/send_answer.ts";
import { TurnShare } from "../conn/turn_share.ts";
import { watchBytes } from "../conn/watch_bytes.ts";
import { AcceptBackoff } from "./accept_backoff.ts";
import { BacklogHold } from "./backlog_hold.ts";
import { bindSlot } from "./bind_slot.ts";
import { classifyAcceptError } from "./classify_accept_error.ts";

/**
 * While the backlog is not empty, every accept resolves at once, and open connections starve for 50 ms or more. A turn of
 * the event loop after each refusal and after every second admission keeps their 99th percentile at 2 and 4 ms, with a
 * thousand connections in flight (`deno task bench`). Where turns are long, the loop has a share of the time in place of a
 * number of connections.
 */
const ADMISSIONS_PER_TURN = 2;

/** A connection of Bun's, of a listener that has been limited before. */
interface Cuttable {
  cut?(): void;
}

/** Accepts and admits as connections are asked for: the others wait in the backlog. */
export function denoAcceptor<C extends ConnLike, A>(
  native: ListenerLike<C, A>,
  limiter: Admitter,
  hooks: AnswerHooks<C> & DeadlineOptions<C> & EvictionOptions<C, "wait">,
  pending?: PendingStage<C>,
): Acceptor<C, A> {
  const { onError } = hooks;
  const cut = (conn: C & Cuttable) => conn.cut === undefined ? port.drop(conn) : conn.cut();
  const openConns = TimedConns.of(hooks, limiter, {
    present: ({ conn }) => muteRejections(conn as C),
    close: ({ conn }) => cut(conn as C),
  }, pending);
  const evictor = Evictor.of<C>(hooks, limiter, {
    present: muteRejections,
    close(conn) {
      ready.delete(conn as LimitedConn<C>);
      cut(conn);
    },
  });
  const timed = openConns instanceof TimedConns;
  const answering = new OpenConns();
  const answers = RefusalAnswers.of(hooks);
  const ready = new ReadyQueue<LimitedConn<C>>();
  const turns = new TurnShare();
  const backoff = new AcceptBackoff();
  const end = new AbortController();
  const closed = end.signal;
  let acceptErrors = 0;
  let accepting = false;
  let admissions = 0;

  const port: Port<C, void> = {
    recordOf: (conn) => (conn as Recorded)[OPEN_CONN],

    peerOf: (conn) => conn,

    admit(conn, slot) {
      if (++admissions % ADMISSIONS_PER_TURN === 0) turns.due = true;
      evictor?.enter(slot, conn);
      try {
        const bound = bindSlot(conn, slot, openConns);
        if (timed) watchBytes(bound);
        ready.push(bound);
        // Nobody asks for a connection that was admitted behind the close.
        if (closed.aborted) dropReady();
      } catch (error) {
        fail(conn, error);
        slot.release();
      }
    },

    present: muteRejections,

    refuse(conn, refusal) {
      turns.due = true;
      const answer = answers?.take(refusal, conn, port.present as (conn: C) => C);
      if (answer === undefined) port.drop(conn);
      else sendAnswer(conn, answer, answers!.writeDeadline, () => port.drop(conn), answering);
    },

    drop(conn) {
      try {
        conn[Symbol.dispose]();
      } catch (error) {
        // A hook may have closed the connection already, and the connections of other listeners may throw at a second close.
        hookFailed(native, onError, error);
      }
    },
  };
  const hold = limiter instanceof WaitingLimiter ? new BacklogHold(native, limiter, pending!, closed) : undefined;
  const offer = createGate(port, evictor ?? limiter, hooks, pending);

  const dropReady = () => ready.clear().forEach(port.drop);

  /** Closes a connection without a decision. The error rejects the call that waits, or is reported if there is none. */
  const fail = (conn: C, error: unknown) => {
    port.drop(conn);
    if (!ready.fail(error)) hookFailed(native, onError, error);
  };

  /** Accepts while the consumer waits for a connection. */
  const acceptWanted = async () => {
    accepting = true;
    while (ready.wanted) {
      if (turns.due) await turns.yield();
      if (pending?.full) await pending.space();
      if (hold !== undefined) await hold.end();
      let conn: C;
      try {
        const start = turns.beforeAccept();
        conn = await native.accept();
        turns.afterAccept(start);
      } catch (error) {
        if (await survives(error)) continue;
        break;
      }
      backoff.reset();
      try {
        const deciding = offer(conn);
        if (deciding === undefined) continue;
        // A pending connection delays the open ones as much as a refused one.
        if (hold === undefined || pending!.reads) turns.due = true;
        deciding.catch((error) => fail(conn, error)).then(hold?.again);
      } catch (error) {
        fail(conn, error);
      }
    }
    accepting = false;
  };

  /** Handles a failed accept: waits if the next one would fail, too. Returns whether to accept again. */
  const survives = async (error: unknown): Promise<boolean> => {
    const kind = classifyAcceptError(error);
    if (kind === "busy") {
      ready.fail(error);
      return false;
    }
    // Where listeners are not Deno's, an accept that is cut short by the close may fail in any way.
    if (kind === "closed" || kind === "connection" && closed.aborted) {
      try {
        close();
      } catch (error) {
        ready.fail(error);
      }
      ready.end();
      return false;
    }
    acceptErrors++;
    callHook(onError, undefined, error);
    turns.due = true;
    const wait = backoff.fail(error);
    if (wait === 0) return true;
    if (onError === undefined) printOnce(native, "accept-failed", error);
    // Ends early, by rejecting, when the listener is closed.
    await setTimeout(wait, undefined, { signal: closed }).catch(() => {});
    return true;
  };

  const close = () => {
    if (closed.aborted) return;
    end.abort();
    pending?.close();
    dropReady();
    try {
      native.close();
    } catch (error) {
      // The native listener was closed already.
      if (classifyAcceptError(error) !== "closed") throw error;
    }
  };

  return {
    native: hold ?? native,
    addr: native.addr,
    openConns,
    answering,
    closed,
    close,

    get acceptErrors() {
      return acceptErrors;
    },

    next() {
      const next = ready.next();
      if (!accepting) acceptWanted();
      return next;
    },
  };
}
