/**
 * Web streams over a connection's `read()` and `write()`.
 *
 * Deno's own streams close the file descriptor without a call that can be intercepted. These streams close it at the
 * same moments, but through `end()`, so that the slot is released with it. As on Deno, the end of either stream closes
 * the whole connection.
 *
 * Two things differ. Here `abort()` closes at once; on Deno it waits for the pending write. Here the garbage collector
 * closes no file descriptor; on Deno it does when `writable` is unreachable, even while `readable` is being read.
 *
 * @module
 */

import { typeError } from "../core/validate.ts";
import type { ConnLike } from "./limited_conn.ts";

/** The read size of Deno's own streams. */
const CHUNK_BYTES = 64 * 1024;

/** A byte stream that reads on demand. It calls `end` when it ends, fails or is cancelled. */
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

/** Like {@linkcode readableOf}, for a source of whole chunks. The stream takes ownership of each chunk. */
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
      // After `close()`, a pending BYOB read stays pending until it gets this response.
      controller.byobRequest?.respond(0);
    },
    cancel: end,
  });
}

/** A stream that writes each chunk completely. It calls `end` when it is closed, fails or is aborted. */
export function writableOf(
  conn: Pick<ConnLike, "write">,
  end: () => void,
): WritableStream<Uint8Array<ArrayBufferLike>> {
  let failure: { readonly error: unknown } | undefined;
  return new WritableStream({
    start({ signal }) {
      // An `abort` method would run only after the pending write, which a client that does not read can block forever.
      signal.addEventListener("abort", () => {
        try {
          end();
        } catch (error) {
          failure = { error };
        }
      }, { once: true });
    },
    // What a listener of the signal throws would end the process.
    abort() {
      if (failure !== undefined) throw failure.error;
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

/** The bytes of a chunk. Like Deno's own streams, this accepts every buffer and view, although the types do not. */
function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer || chunk instanceof SharedArrayBuffer) return new Uint8Array(chunk);
  throw typeError("chunk", "an ArrayBuffer or a view of one", chunk);
}
