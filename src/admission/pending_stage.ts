/**
 * The pending stage: connections that are accepted, and neither admitted nor refused yet.
 *
 * @module
 */

import type { Counts } from "../core/counts.ts";
import { internalsOf } from "../core/internals.ts";
import type { Peer } from "../core/peer.ts";
import type { RefusalReason } from "../core/reasons.ts";
import { type Admission, type Refusal, REFUSALS } from "../core/slot.ts";
import { formatValue } from "../core/validate.ts";
import { hookFailed } from "./hooks.ts";
import { slotHeld } from "./limit_once.ts";
import { type PendingConn, PendingConns, type PendingOptions } from "./pending_conns.ts";
import type { Awaitable, GateSide } from "./port.ts";

/** A resolver's refusal of a connection. */
export type Refused = Pick<Refusal, "admitted" | "reason">;

/**
 * Finds the client behind a connection. It is called while the connection is pending; `signal` is aborted when the
 * connection is pending no more.
 */
export type ClientResolver<C> = (conn: C, signal: AbortSignal) => PromiseLike<Peer | Refused>;

/**
 * Holds connections while a resolver finds their clients, or while a limiter asks elsewhere. They are bounded in number and
 * time, because each has a file descriptor and no slot. The limiter's `stats().pending` counts them.
 *
 * @typeParam C The connections.
 */
export class PendingStage<C> {
  readonly #resolve: ClientResolver<C> | undefined;
  readonly #pending: PendingConns;
  #closed = false;

  /** @param resolve Finds the client of each connection, before the limiter is asked. */
  constructor(options: PendingOptions = {}, resolve?: ClientResolver<C>) {
    this.#resolve = resolve;
    this.#pending = new PendingConns(options);
  }

  /** Whether no more connections may be pending. */
  get full(): boolean {
    return this.#pending.full;
  }

  /** Resolves when one more connection may be pending. */
  space(): Promise<void> {
    return this.#pending.space();
  }

  /** Closes all pending connections, and every one that would become pending. */
  close(): void {
    this.#closed = true;
    this.#pending.endAll("closed");
  }

  /** Decides on a connection: at once where the limiter does. */
  offer<R>(conn: C, gate: GateSide<C, R>): R | Promise<R> {
    if (this.#resolve !== undefined) return this.#await(conn, undefined, gate);
    let asked: Awaitable<Admission>;
    try {
      asked = slotHeld(gate.limiter, gate.port, conn) ?? gate.limiter.tryAccept(gate.port.peerOf(conn));
    } catch (error) {
      report(error, gate);
      return gate.decide(conn, refusal("unavailable", gate));
    }
    return isAdmission(asked) ? gate.decide(conn, asked) : this.#await(conn, Promise.resolve(asked), gate);
  }

  #await<R>(conn: C, asked: PromiseLike<Admission> | undefined, gate: GateSide<C, R>): R | Promise<R> {
    if (!this.#closed && !this.full) return this.#wait(conn, asked, gate);
    Promise.resolve(asked).then(giveBack, () => {});
    return this.#closed ? gate.port.drop(conn) : gate.decide(conn, refusal("pending", gate));
  }

  async #wait<R>(conn: C, asked: PromiseLike<Admission> | undefined, gate: GateSide<C, R>): Promise<R> {
    const pending = this.#pending.add();
    const counts = countsOf(gate);
    if (counts !== undefined) counts.pending++;
    const release = gate.port.hold?.(conn, () => this.#pending.end(pending, "left"));
    const decision = this.#decide(conn, asked, pending, gate);
    const first = await Promise.race([decision, pending.over]);
    // The connection may have ended in the turn in which the decision came.
    const inTime = this.#pending.delete(pending);
    if (counts !== undefined) counts.pending--;
    release?.();
    if (!inTime) {
      decision.then(giveBack);
      const end = await pending.over;
      return end === "timeout" ? gate.decide(conn, refusal(end, gate)) : gate.port.drop(conn);
    }
    const admission = first as Admission | RefusalReason;
    return typeof admission === "string" ? gate.decide(conn, refusal(admission, gate)) : gate.decide(conn, admission);
  }

  /** Finds the client, unless the limiter has been asked already, and asks the limiter. Never rejects. */
  async #decide<R>(
    conn: C,
    asked: Awaitable<Admission> | undefined,
    { abort: { signal } }: PendingConn,
    gate: GateSide<C, R>,
  ): Promise<Admission | RefusalReason> {
    try {
      if (asked === undefined) {
        const client = await this.#resolve!(conn, signal);
        if (signal.aborted) return "timeout";
        if (isRefused(client)) return client.reason;
        asked = gate.limiter.tryAccept(client);
      }
      return checked(await asked);
    } catch (error) {
      if (!signal.aborted) report(error, gate);
      return "unavailable";
    }
  }
}

function countsOf<C, R>({ limiter }: GateSide<C, R>): Counts | undefined {
  return internalsOf(limiter)?.counts;
}

/** The refusal for a reason that is the gate's own, counted. */
function refusal<C, R>(reason: RefusalReason, gate: GateSide<C, R>): Refusal {
  return countsOf(gate)?.refuse(reason) ?? REFUSALS[reason];
}

/** Reports the failure of a resolver or a limiter. */
function report<C, R>(error: unknown, { limiter, onError }: GateSide<C, R>): void {
  hookFailed(limiter, onError, error);
}

/** Releases a slot that came too late. */
function giveBack(admission: Admission | RefusalReason | undefined): void {
  // A limiter may have answered anything.
  if (typeof admission === "object" && admission?.admitted) admission.release();
}

function isAdmission(answer: Awaitable<Admission>): answer is Admission {
  return typeof (answer as Partial<Admission> | undefined)?.admitted === "boolean";
}

/** @throws {TypeError} If the answer is neither a slot nor a refusal. */
function checked(admission: Admission): Admission {
  if (isAdmission(admission)) return admission;
  throw new TypeError(`a limiter must answer with a slot or a refusal, got ${formatValue(admission)}`);
}

function isRefused(client: Peer | Refused): client is Refused {
  return (client as Partial<Refused> | null)?.admitted === false;
}
