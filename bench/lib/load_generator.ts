/**
 * Puts load on servers from a process of its own. The load counts for itself, so that every server is measured in the same
 * way.
 *
 * @module
 */

import { Child } from "./child.ts";

/** What is to be done. */
export interface Plan {
  /** Connections that the server closes at once, HTTP requests, or messages that the server echoes. */
  readonly of: "connections" | "requests" | "messages";
  /** Where the load goes, and where connections are kept and echoed. */
  readonly ports: readonly [loaded: number, kept?: number];
  /** The processes whose CPU time is measured. */
  readonly pids: readonly number[];
  /** Whether connections are held by the clients of the flood, one each. Others hold them by default. */
  readonly floodersHold?: boolean;
  /** What each connection begins with. */
  readonly header?: readonly number[];
  /** One after the other. */
  readonly phases: readonly Phase[];
}

/** A part of a plan. */
export interface Phase {
  /** How many connections are held, each by a client of its own. The established client is not among them. */
  readonly held?: number;
  /** How many connections to the loaded port are opened first, and say nothing. */
  readonly silent?: number;
  readonly inFlight: number;
  /** Whether the established client has bytes echoed, which costs CPU time, too. */
  readonly echoes?: boolean;
  /** Milliseconds that do not count, and milliseconds that do. */
  readonly warmUp: number;
  readonly window: number;
}

/** What was seen in a phase. */
export interface Observation {
  /** Connections that the server has closed, requests that it has answered, or messages that it has echoed. */
  readonly done: number;
  readonly milliseconds: number;
  /** Microseconds of CPU time, by process. */
  readonly cpu: readonly number[];
  /** How many milliseconds each echo took. */
  readonly echoes: readonly number[];
}

/** The process that the load comes from. */
export class LoadGenerator implements Disposable {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  static async start(): Promise<LoadGenerator> {
    return new LoadGenerator(await Child.start(new URL("load.ts", import.meta.url)));
  }

  /** Carries out a plan. Resolves to what was seen, by phase. */
  async observe(plan: Plan): Promise<Observation[]> {
    return await this.#child.ask<Observation[]>("observe", [plan], PLAN_DEADLINE);
  }

  [Symbol.dispose](): void {
    this.#child[Symbol.dispose]();
  }
}

/** Milliseconds. A plan may open 50,000 connections first. */
const PLAN_DEADLINE = 300_000;
