/**
 * What all sockets of a Bun listener have in common.
 *
 * @module
 */

import { systemError } from "../conn/deno_errors.ts";

/** What all sockets of a listener have in common. Bun shows of a listener neither of the two. */
export class SocketTraits {
  readonly tls: boolean;
  /**
   * Whether a connection stays open at its peer's FIN, which `allowHalfOpen` asks for. For a listener whose options are not
   * known, the first FIN shows it.
   */
  halfOpen: boolean;
  readonly #onAnswerLost: (error: Error) => void;
  #told = false;

  /** @param onAnswerLost Called once, with the first {@linkcode SocketTraits.answerLost}. */
  constructor(tls: boolean, halfOpen: boolean, onAnswerLost: (error: Error) => void) {
    this.tls = tls;
    this.halfOpen = halfOpen;
    this.#onAnswerLost = onAnswerLost;
  }

  /** The error of a write to a connection that Bun has closed because its peer has ended its side. */
  answerLost(): Error {
    const error = systemError(
      "BrokenPipe",
      "Bun has closed the connection, since its peer has ended its side and Bun.listen() lacks allowHalfOpen: true",
    );
    if (!this.#told) {
      this.#told = true;
      this.#onAnswerLost(error);
    }
    return error;
  }
}
