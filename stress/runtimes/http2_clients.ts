/**
 * Twenty clients of HTTP/2, each with two hundred requests, five at once. Prints how many were answered.
 *
 * @module
 */

import { type ClientHttp2Session, connect } from "node:http2";
import process from "node:process";

const port = process.argv[2];
let answered = 0;

function request(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    const stream = session.request({ ":path": "/" });
    stream.on("response", () => answered++).on("error", () => {}).on("close", resolve).resume().end();
  });
}

async function visit(): Promise<void> {
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on("error", () => {});
  let left = 200;
  const run = async () => {
    while (left-- > 0 && !session.destroyed) await request(session);
  };
  await Promise.all([1, 2, 3, 4, 5].map(run));
  session.destroy();
}

function end(): void {
  console.log(answered);
  process.exit();
}

setTimeout(end, 20_000);
await Promise.all(Array.from({ length: 20 }, visit));
end();
