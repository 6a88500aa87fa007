/**
 * Data in bulk, for clients of echo servers.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { type Client, eventually } from "./net.ts";

/** Bytes of a megabyte. */
export const MB: number = 1 << 20;

/** Sends so many megabytes, no two of them equal. */
export async function send(write: (chunk: Uint8Array) => unknown, megabytes: number): Promise<void> {
  const random = crypto.getRandomValues(new Uint8Array(1 << 16));
  for (let index = 0; index < megabytes; index++) {
    const chunk = new Uint8Array(MB);
    for (let offset = 0; offset < MB; offset += random.length) chunk.set(random, offset);
    new DataView(chunk.buffer).setUint32(0, index);
    await write(chunk);
  }
}

/**
 * Sends, and receives slowly. Resolves to whether what comes back is what was sent.
 *
 * @param sent Called when all has been sent, but has not come back yet.
 */
export async function echoes({ socket }: Client, megabytes: number, sent: () => unknown = () => {}): Promise<boolean> {
  const [there, back] = [createHash("md5"), createHash("md5")];
  let count = 0;
  socket.on("data", (chunk: Uint8Array) => {
    back.update(chunk);
    const before = count;
    count += chunk.length;
    if (Math.floor(before / (4 * MB)) === Math.floor(count / (4 * MB))) return;
    socket.pause();
    setTimeout(() => socket.resume(), 10);
  });
  await send(async (chunk) => {
    there.update(chunk);
    if (!socket.write(chunk)) await once(socket, "drain");
  }, megabytes);
  sent();
  await eventually(() => count === megabytes * MB, "all of the echo");
  return there.digest("hex") === back.digest("hex");
}

/**
 * Sends, and reads nothing before all is sent or the server takes no more. Resolves to whether what comes back is what was
 * sent. A server that forgets what it could not write at once has taken all by then.
 */
export async function echoesLate({ socket }: Client, megabytes: number): Promise<boolean> {
  socket.pause();
  const [there, back] = [createHash("md5"), createHash("md5")];
  let count = 0;
  socket.on("data", (chunk: Uint8Array) => {
    back.update(chunk);
    count += chunk.length;
  });
  await send(async (chunk) => {
    there.update(chunk);
    if (socket.write(chunk)) return;
    const timer = setTimeout(() => socket.resume(), 200);
    await once(socket, "drain");
    clearTimeout(timer);
  }, megabytes);
  socket.resume();
  await eventually(() => count === megabytes * MB, "all of the echo");
  return there.digest("hex") === back.digest("hex");
}
