/**
 * Several limiters in front of one server.
 *
 * @module
 */

import { countsTogether } from "../admission/limit_once.ts";
import type { Admitter } from "../admission/port.ts";

/** The port of one limiter. Offers result in whether the server may have what is offered. */
export interface GatePort<C> {
  readonly limiter: Admitter;
  offer(conn: C): boolean | Promise<boolean>;
}

/** The ports of a server for its connections, or for its requests. */
export class GatePorts<C> {
  /** Replaced, never changed: an admission under way goes on with those it began with. */
  #ports: readonly GatePort<C>[] = [];

  get empty(): boolean {
    return this.#ports.length === 0;
  }

  has(limiter: Admitter): boolean {
    return this.#ports.some((port) => countsTogether(port.limiter, limiter));
  }

  add(port: GatePort<C>): void {
    this.#ports = [...this.#ports, port];
  }

  remove(port: GatePort<C>): void {
    this.#ports = this.#ports.filter((other) => other !== port);
  }

  /** Offers something to one limiter after the other, all of which must admit it. */
  offer(conn: C): boolean | Promise<boolean> {
    return offer(conn, this.#ports, 0);
  }
}

function offer<C>(conn: C, ports: readonly GatePort<C>[], from: number): boolean | Promise<boolean> {
  for (let at = from; at < ports.length; at++) {
    const admitted = ports[at]!.offer(conn);
    if (admitted === false) return false;
    if (admitted !== true) return admitted.then((admitted) => admitted && offer(conn, ports, at + 1));
  }
  return true;
}
