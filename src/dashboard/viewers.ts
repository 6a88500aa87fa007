/**
 * Those who look at a live page.
 *
 * @module
 */

/** The messages in a row that a viewer may miss. */
const MAX_MISSED = 15;

/** Sent where the stream begins: when to try again, in milliseconds. */
const RETRY = 2_000;

interface Viewer {
  readonly controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  /** The messages that it has missed in a row, since it has not read the one before. */
  missed: number;
}

/** Sends the same messages to all. Of each viewer, it holds one message at most. */
export class Viewers {
  readonly #viewers = new Set<Viewer>();
  #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** The number of viewers. */
  get size(): number {
    return this.#viewers.size;
  }

  /** Whether there is no room for another one. */
  get isFull(): boolean {
    return this.#viewers.size >= this.#max;
  }

  /** Adds a viewer, with its first message. Returns what it reads. */
  add(message: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
    let viewer: Viewer;
    const leave = () => void this.#viewers.delete(viewer);
    return new ReadableStream({
      start: (controller) => {
        viewer = { controller, missed: 0 };
        this.#viewers.add(viewer);
        controller.enqueue(message);
      },
      cancel: leave,
    });
  }

  /** Sends a message to those who have read the one before. Those who have missed too many are ended. */
  send(message: Uint8Array<ArrayBuffer>): void {
    for (const viewer of this.#viewers) {
      const { controller } = viewer;
      const { desiredSize } = controller;
      if (desiredSize !== null && desiredSize > 0) {
        viewer.missed = 0;
        controller.enqueue(message);
      } else if (desiredSize === null || ++viewer.missed >= MAX_MISSED) {
        this.#end(viewer);
      }
    }
  }

  /** Ends all, and has no room for others. */
  end(): void {
    this.#max = 0;
    for (const viewer of this.#viewers) this.#end(viewer);
  }

  #end(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    try {
      viewer.controller.close();
    } catch {
      // Its stream has failed already.
    }
  }
}

/** Encodes a message of server-sent events. */
export function encodeMessage(data: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`retry: ${RETRY}\ndata: ${data}\n\n`);
}
