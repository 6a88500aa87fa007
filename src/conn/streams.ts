/**
 * Web streams over a connection's `read` and `write`.
 *
 * Deno's own streams close the descriptor without calling anything that could be watched. These do the same at the same
 * moments, but by way of `end`, so that the slot goes with the descriptor. As with Deno's own, the end of either stream
 * closes the whole connection.
 *
 * They differ in two points. `abort()` ends at once, where Deno's waits for the write under way. And no descriptor is
 * closed by garbage collection, which with Deno's happens to a connection whose `writable` has been dropped, even while
 * its `readable` is being read.
 *
 * @module
 */

import { formatValue } from "../core/validate.ts";
import type { ConnLike } from "./limited_conn.ts";

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
        if (count !== null) return request.respond(count);
      } catch (error) {
        end();
        throw error;
      }
      end();
      controller.close();
      request.respond(0);
    },
    cancel: end,
  });
}

/** The same over chunks that come as they are, and that nobody else uses. */
export function readableOfChunks(
  next: () => Promise<Uint8Array | null>,
  end: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      try {
        const chunk = await next();
        if (chunk !== null) return controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
      } catch (error) {
        end();
        throw error;
      }
      end();
      controller.close();
      // Somebody may be waiting with a buffer of his own.
      controller.byobRequest?.respond(0);
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
        let rest = bytesOf(chunk);
        for (let count; rest.length > 0 && (count = await conn.write(rest)) < rest.length;) rest = rest.subarray(count);
      } catch (error) {
        end();
        throw error;
      }
    },
    close: end,
  });
}

/** The bytes of a chunk: like Deno's own streams, these take every buffer and every view, whatever the types say. */
function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer || chunk instanceof SharedArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError(`chunk must be an ArrayBuffer or a view of one, got ${formatValue(chunk)}`);
}
