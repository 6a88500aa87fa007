/**
 * `limitedListener()` on a server whose turns of the event loop are long, since it has other work.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { limitedListener } from "@connlimit/connlimit";
import { FakeClock } from "../support/fake_clock.ts";
import { keepAll } from "../support/listeners.ts";
import { within } from "../support/net.ts";

/** Milliseconds of a turn, and of an accept. */
const TURN = 10;
const ACCEPT = 0.01;
const CONNS = 1_000;

/** A connection that is nothing but its address. */
class Conn {
  readonly remoteAddr = { hostname: "192.0.2.7" };

  get readable(): ReadableStream<never> {
    return new ReadableStream();
  }

  get writable(): WritableStream {
    return new WritableStream();
  }

  read(): Promise<null> {
    return Promise.resolve(null);
  }

  write(data: Uint8Array): Promise<number> {
    return Promise.resolve(data.length);
  }

  close(): void {}
  [Symbol.dispose](): void {}
}

/** Has a thousand connections accepted at once. Resolves to the turns that others had meanwhile. */
async function turnsOfOthers(maxPerClient: number, accepted: () => Promise<Conn>): Promise<number> {
  using clock = new FakeClock();
  let left = CONNS;
  let turns = 0;
  const turn = () => {
    clock.pass(TURN);
    if (left > 0) {
      turns++;
      setImmediate(turn);
    }
  };
  const accept = () => {
    clock.pass(ACCEPT);
    return left-- > 0 ? accepted() : Promise.reject(new Deno.errors.BadResource("Listener has been closed"));
  };
  const listener = limitedListener({ addr: "nowhere", accept, close() {}, ref() {}, unref() {} }, { maxPerClient });
  setImmediate(turn);
  await keepAll(listener);
  return turns;
}

const ACCEPTED: Readonly<Record<string, readonly [maxPerClient: number, accepted: () => Promise<Conn>]>> = {
  "refused": [0, () => Promise.resolve(new Conn())],
  "admitted": [Infinity, () => Promise.resolve(new Conn())],
  "reset before they are accepted": [
    Infinity,
    () => Promise.reject(new Deno.errors.NotConnected("Transport endpoint is not connected")),
  ],
};

for (const [what, [maxPerClient, accepted]] of Object.entries(ACCEPTED)) {
  Deno.test(`limitedListener() gives others four fifths of the time while connections are ${what}`, async () => {
    // A turn of ten milliseconds leaves time for 250 of them. With one or two a turn, new clients would wait for minutes.
    const turns = await within(turnsOfOthers(maxPerClient, accepted), "all to be accepted");
    assertEquals(turns, CONNS * ACCEPT / (TURN / 4));
  });
}
