/**
 * Connections with deadlines, by a clock that a test moves.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Limiter, type TimeoutKind } from "@connlimit/connlimit";
import type { DeadlineOptions } from "../../src/admission/deadline_options.ts";
import { type Charge, Deadlines, type Watch } from "../../src/admission/deadlines.ts";
import type { ErrorHook } from "../../src/admission/hooks.ts";
import { HandClock } from "./hand_clock.ts";

/** A connection, and what the deadlines ask of it. */
export class Conn {
  at = -1;
  bytes = 0;
  spoken = false;
  charge: Charge = "ours";
}

type Options = DeadlineOptions<never> & { readonly onError?: ErrorHook };

/** Deadlines of connections, and what has become of them. */
export class Trial {
  readonly clock: HandClock = new HandClock();
  readonly limiter: Limiter = new Limiter();
  /** The connections that were closed, with the kinds and the times. */
  readonly cut: [TimeoutKind, number][] = [];
  readonly deadlines: Deadlines<Conn>;
  readonly #start = this.clock.now();

  constructor(options: Options, watch: Partial<Watch<Conn>> = {}) {
    const close = (conn: Conn, kind: TimeoutKind) => {
      this.cut.push([kind, this.clock.now() - this.#start]);
      this.deadlines.delete(conn.at);
    };
    this.deadlines = Deadlines.of<Conn>(options, this.limiter, { close, ...watch }, this.clock)!;
  }

  add(waited: number = 0): Conn {
    const conn = new Conn();
    conn.at = this.deadlines.add(conn, waited);
    return conn;
  }

  /** Lets time pass in steps, with something after each. */
  steps(count: number, milliseconds: number, step: () => void): void {
    for (; count > 0; count--) {
      this.clock.pass(milliseconds);
      step();
    }
  }

  /** Checks that one connection was closed, at a time or somewhat later. */
  closed(kind: TimeoutKind, after: number, late: number = after / 10): void {
    assertEquals(this.cut.map(([kind]) => kind), [kind]);
    const [[, at]] = this.cut as [[TimeoutKind, number]];
    assert(at >= after && at <= after + late, `closed after ${at} ms, not ${after}`);
    assertEquals(this.limiter.stats().timedOut, { firstByte: 0, idle: 0, maxAge: 0, [kind]: 1 });
    assertEquals([this.deadlines.size, this.clock.running], [0, false]);
  }
}

/** What is asked for activity, in place of being told. */
export const ASKED: Partial<Watch<Conn>> = { activityOf: ({ bytes }) => bytes, hasSpoken: ({ spoken }) => spoken };
