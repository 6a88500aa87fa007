/**
 * An adapter without connections: it writes down what the gate has it do.
 *
 * @module
 */

import type { Peer, Refusal, Slot } from "@connlimit/connlimit";
import type { Port } from "../../src/admission/port.ts";

/** A connection that is nothing but its name, which is its peer's key. */
export class FakePort implements Port<string, string> {
  /** What has been done so far, in order. */
  readonly log: string[] = [];
  /** The slots of the connections that were admitted. */
  readonly slots: Slot[] = [];
  /** What ends the pending connections, by their names. */
  readonly leave: Map<string, () => void> = new Map();

  peerOf(conn: string): Peer {
    return { key: conn };
  }

  admit(conn: string, slot: Slot): string {
    this.slots.push(slot);
    return this.#note(`admit ${conn}`);
  }

  present(conn: string): unknown {
    this.#note(`present ${conn}`);
    return conn.toUpperCase();
  }

  refuse(conn: string, { reason }: Refusal): string {
    return this.#note(`refuse ${conn}: ${reason}`);
  }

  hold(conn: string, ended: () => void): () => void {
    this.leave.set(conn, ended);
    this.#note(`hold ${conn}`);
    return () => void this.#note(`free ${conn}`);
  }

  drop(conn: string): string {
    return this.#note(`drop ${conn}`);
  }

  #note(what: string): string {
    this.log.push(what);
    return what;
  }
}
