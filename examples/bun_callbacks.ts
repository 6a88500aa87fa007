/**
 * An echo server on Bun that is written with callbacks, with at most ten connections for each client.
 *
 *   bun examples/bun_callbacks.ts
 *
 * Try it with `nc localhost 7000`.
 *
 * @module
 */

import { logRefusals } from "@connlimit/connlimit";
import { limitSocketHandler } from "@connlimit/connlimit/bun";

/** What a client that does not read could not be sent yet. */
interface Echo {
  unsent: Uint8Array;
}

Bun.listen<Echo>({
  hostname: "0.0.0.0",
  port: 7000,
  socket: limitSocketHandler({ maxPerClient: 10 }, {
    open(socket: Bun.Socket<Echo>) {
      socket.data = { unsent: new Uint8Array() };
    },
    data: echo,
    drain(socket: Bun.Socket<Echo>) {
      if (socket.data.unsent.length > 0) echo(socket, socket.data.unsent);
    },
  }, {
    onRefused: logRefusals(),
  }),
});

function echo(socket: Bun.Socket<Echo>, data: Uint8Array) {
  const sent = socket.write(data);
  if (sent < 0) return; // closed, and the slot is given back
  socket.data.unsent = data.subarray(sent);
  if (sent < data.length) socket.pause(); // reads no more until this is sent
  else socket.resume();
}
