/**
 * Web streams over a connection's `read` and `write`.
 *
 * Deno's own streams close the descriptor without calling anything that could be watched. These do the same at the same
 * moments, but by way of `end`, so that the slot goes with the descriptor. As with Deno's own, the end of either stream
 * closes the whole connection.
 *
 * @module
 */

import type { ConnLike } from "./conn.ts";

/** What Deno's own streams read at a time. */
const CHUNK_BYTES = 64 * 1024;

/** A byte stream that reads only when asked to, and calls `end` when it has ended, failed or been cancelled. */
export function readableOf(conn: Pick<ConnLike, "read">, end: () => void): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: CHUNK_BYTES,
    async pull(controller) {
      const request = controller.byobRequest!;
      try {
        const count = await conn.read(request.view as Uint8Array);
        if (count === null) {
          end();
          controller.close();
          request.respond(0);
        } else {
          request.respond(count);
        }
      } catch (error) {
        end();
        throw error;
      }
    },
    cancel: end,
  });
}

/** A stream that writes each chunk whole, and calls `end` when it has been closed, has failed or been aborted. */
export function writableOf(
  conn: Pick<ConnLike, "write">,
  end: () => void,
): WritableStream<Uint8Array<ArrayBufferLike>> {
  return new WritableStream({
    start({ signal }) {
      // In place of `abort`, which waits for the write under way, and a client that does not read holds that up for ever.
      signal.addEventListener("abort", end, { once: true });
    },
    async write(chunk) {
      try {
        for (let written = 0; written < chunk.byteLength;) {
          written += await conn.write(written === 0 ? chunk : chunk.subarray(written));
        }
      } catch (error) {
        end();
        throw error;
      }
    },
    close: end,
  });
}
