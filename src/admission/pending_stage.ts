/**
 * The pending stage: connections that are accepted, and neither admitted nor refused yet.
 *
 * @module
 */

import type { Counts } from "../core/counts.ts";
import { internalsOf } from "../core/internals.ts";
import type { Peer } from "../core/peer.ts";
import type { RefusalReason } from "../core/reasons.ts";
import { type Admission, type Refusal, REFUSALS, type Slot } from "../core/slot.ts";
import { checkDeadline, checkWhole, formatValue } from "../core/validate.ts";
import { hookFailed } from "./hooks.ts";
import { slotHeld } from "./limit_once.ts";
import { type PendingConn, PendingConns, type PendingOptions } from "./pending_conns.ts";
import type { Awaitable, GateSide, Later } from "./port.ts";

/** A resolver's refusal of a connection. */
export type Refused = Pick<Refusal, "admitted" | "reason">;

/**
 * Finds the client behind a connection. It is called while the connection is pending; the signal is aborted when the
 * connection is pending no more. It resolves to nothing if the connection has ended meanwhile.
 */
export type ClientResolver<C> = (
  conn: C,
  pending: { readonly signal: AbortSignal },
) => PromiseLike<Peer | Refused | undefined>;

/** Tells the client of a connection that need not be pending, or why it is refused; else nothing. */
export type KnownClient<C> = (conn: C) => Peer | Refused | undefined;

/**
 * Holds connections while a resolver finds their clients, or while a limiter asks elsewhere. They are bounded in number and
 * time, because each has a file descriptor and no slot. The limiter's `stats().pending` counts them.
 *
 * @typeParam C The connections.
 */
export class PendingStage<C> {
  readonly #resolve: ClientResolver<C> | undefined;
  readonly #known: KnownClient<C> | undefined;
  readonly #pending: PendingConns;
  /** Whether a connection whose client is known waits for room without a deadline. */
  patient = false;
  /** For how many milliseconds the connection was pending that is being decided on. */
  waited = 0;
  #closed = false;
  /** The peer that the limiter has just been asked for. */
  #peer: Peer | undefined;

  /**
   * @param resolve Finds the client of each connection, before the limiter is asked.
   * @param known Is asked before that.
   * @throws {RangeError} For an option out of its range.
   */
  constructor(options: PendingOptions = {}, resolve?: ClientResolver<C>, known?: KnownClient<C>) {
    const { max, timeout } = options;
    if (max !== undefined) checkWhole("max", max, 1, Infinity);
    if (timeout !== undefined) checkDeadline("timeout", timeout);
    this.#resolve = resolve;
    this.#known = known;
    this.#pending = new PendingConns(options);
  }

  /** Whether connections are read from while they are pending. */
  get reads(): boolean {
    return this.#resolve !== undefined;
  }

  /** Whether no more connections may be pending. */
  get full(): boolean {
    return this.#pending.full;
  }

  /** The number of pending connections. */
  get size(): number {
    return this.#pending.size;
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
    if (this.#closed) return gate.port.drop(conn);
    const answer = this.#answerAtOnce(conn, gate);
    const peer = this.#peer;
    this.#peer = undefined;
    if (typeof answer === "string") return gate.decide(conn, refusal(answer, gate), peer);
    if (answer !== undefined && isAdmission(answer)) return gate.decide(conn, answer, peer);
    if (!this.full) return this.#wait(conn, answer, peer, gate);
    answer?.then(giveBack, () => {});
    withdraw(answer);
    return gate.decide(conn, refusal("pending", gate), peer);
  }

  /** Asks what can be asked at once. Returns a promise if that takes time, and nothing if the client must be found first. */
  #answerAtOnce<R>(conn: C, gate: GateSide<C, R>): Admission | PromiseLike<Admission> | RefusalReason | undefined {
    try {
      const client = this.#known?.(conn);
      if (isRefused(client)) return client.reason;
      // A slot that is held for the proxy is not one for the client behind it.
      if (client !== undefined || this.#resolve === undefined) {
        const held = slotHeld(gate.limiter, gate.port, conn, client);
        if (held !== undefined) return held;
      }
      // Whoever would be pending is refused before anybody is asked. For a known client the limiter may answer at once.
      if (client === undefined && this.full) return "pending";
      if (client === undefined && this.#resolve !== undefined) return undefined;
      const asked = gate.limiter.tryAccept(this.#peer = client ?? gate.port.peerOf(conn));
      return isAdmission(asked) ? asked : Promise.resolve(asked);
    } catch (error) {
      report(error, gate);
      return "unavailable";
    }
  }

  async #wait<R>(
    conn: C,
    asked: PromiseLike<Admission> | undefined,
    peer: Peer | undefined,
    gate: GateSide<C, R>,
  ): Promise<R> {
    const pending = this.#pending.add(peer);
    pending.asked = asked;
    if (this.patient && asked !== undefined) this.#pending.lift(pending);
    const counts = countsOf(gate);
    if (counts !== undefined) counts.pending++;
    let decision: PromiseLike<Admission | RefusalReason | undefined> | undefined = asked;
    let answer: Admission | RefusalReason | undefined;
    let inTime = false;
    try {
      const release = gate.port.hold?.(conn, () => this.#pending.end(pending, "left"));
      decision = this.#decide(conn, asked, pending, gate);
      decision.then((decided) => {
        answer = decided;
        pending.decided();
      });
      await pending.over;
      // The connection may have ended in the turn in which the decision came.
      inTime = this.#pending.delete(pending);
      release?.();
    } catch (error) {
      // Something of the user's may be in place of the runtime's connection.
      this.#pending.delete(pending);
      report(error, gate);
      inTime = false;
      pending.why = "failed";
    }
    if (counts !== undefined) counts.pending--;
    if (!inTime) {
      decision?.then(giveBack, () => {});
      withdraw(pending.asked);
      const { why } = pending;
      if (why === "failed") return gate.decide(conn, refusal("unavailable", gate), pending.peer);
      return why === "timeout" ? gate.decide(conn, refusal(why, gate), pending.peer) : gate.port.drop(conn);
    }
    if (answer === undefined) return gate.port.drop(conn);
    this.waited = pending.age;
    try {
      return gate.decide(conn, typeof answer === "string" ? refusal(answer, gate) : answer, pending.peer);
    } finally {
      this.waited = 0;
    }
  }

  /**
   * Finds the client, unless the limiter has been asked already, and asks the limiter. Resolves to nothing if the connection
   * is no longer there. Never rejects.
   */
  async #decide<R>(
    conn: C,
    asked: Awaitable<Admission> | undefined,
    pending: PendingConn,
    gate: GateSide<C, R>,
  ): Promise<Admission | RefusalReason | undefined> {
    try {
      if (asked === undefined) {
        const client = await this.#resolve!(conn, pending);
        if (pending.done || client === undefined) return undefined;
        if (isRefused(client)) return client.reason;
        pending.peer = client;
        pending.asked = asked = slotHeld(gate.limiter, gate.port, conn, client) ?? gate.limiter.tryAccept(client);
        if (this.patient) this.#pending.lift(pending);
      }
      return checked(await asked);
    } catch (error) {
      if (!pending.done) report(error, gate);
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

/** Gives up what has not been answered, where that is possible. */
function withdraw(asked: unknown): void {
  (asked as Partial<Later> | undefined)?.withdraw?.();
}

/** Whether a limiter has answered. One that is not of this package may answer with anything. */
function isAdmission(answer: Awaitable<Admission>): answer is Admission {
  const { admitted, release, reason } = (answer ?? {}) as
    & Partial<Omit<Slot, "admitted"> & Omit<Refusal, "admitted">>
    & {
      readonly admitted?: unknown;
    };
  return admitted === true ? typeof release === "function" : admitted === false && Object.hasOwn(REFUSALS, reason!);
}

/** @throws {TypeError} If the answer is neither a slot nor a refusal. */
function checked(admission: Admission): Admission {
  if (isAdmission(admission)) return admission;
  throw new TypeError(`a limiter must answer with a slot or a refusal, got ${formatValue(admission)}`);
}

function isRefused(client: Peer | Refused | undefined): client is Refused {
  return (client as Partial<Refused> | null | undefined)?.admitted === false;
}
