/**
 * Channels of workers, ports and processes, and what tells that the other end is gone.
 *
 * @module
 */

import { test } from "node:test";
import { MessageChannel as NodeChannel } from "node:worker_threads";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Channel, type ChannelLike } from "../../src/shared/channel.ts";
import { eventually } from "../support/net.ts";
import { startProcess } from "../support/shared/ends.ts";
import { turns } from "../support/settled.ts";

const ECHO = new URL("../support/shared/echo_end.ts", import.meta.url);

/** Listens, and notes what it hears. */
class Heard {
  readonly messages: unknown[] = [];
  readonly channel: Channel;
  ends = 0;

  constructor(channel: ChannelLike) {
    this.channel = new Channel(channel, {
      heard: (message) => void this.messages.push(message),
      ended: () => void this.ends++,
    });
  }

  async hears(message: unknown): Promise<void> {
    await eventually(() => this.messages.length > 0, "a message");
    assertEquals(this.messages.splice(0), [message]);
  }
}

test("Channel passes messages to a child process and back, and hears of its end, once", async () => {
  const { channel, kill } = startProcess(ECHO);
  const end = new Heard(channel);
  await end.hears(["ready"]);
  end.channel.post(["a", 1, null, ["b"]]);
  await end.hears(["echo", "a", 1, null, ["b"]]);
  assert(end.channel.open);
  kill();
  await eventually(() => end.ends > 0, "the end to be told");
  end.channel.post(["lost"]);
  await turns();
  assertEquals([end.ends, end.channel.open, end.messages], [1, false, []]);
});

test("Channel is closed with the other end of a port", async () => {
  const { port1, port2 } = new NodeChannel();
  const [one, other] = [new Heard(port1), new Heard(port2)];
  one.channel.post(["hello"]);
  await other.hears(["hello"]);
  port1.close();
  await eventually(() => other.ends === 1, "the end to be told");
});

test("Channel leaves the messages of others alone, and is told of no more once it is closed", async () => {
  const { port1, port2 } = new MessageChannel();
  const [one, other] = [new Heard(port1), new Heard(port2)];
  for (const message of ["hello", null, 7, [], ["other"], { 0: "connlimit" }]) port1.postMessage(message);
  one.channel.post(["mine"]);
  await other.hears(["mine"]);
  other.channel.close();
  one.channel.post(["late"]);
  await turns();
  assertEquals([other.messages, other.ends], [[], 0]);
  one.channel.close();
  port1.close();
  port2.close();
});

test("Channel ends where nothing can be posted", () => {
  let ends = 0;
  const broken = {
    send() {
      throw new Error("no channel");
    },
    on() {},
    off() {},
  };
  const channel = new Channel(broken, { heard() {}, ended: () => ends++ });
  channel.post(["lost"]);
  channel.post(["lost"]);
  assertEquals([ends, channel.open], [1, false]);
});

test("Channel refuses what is no end of a channel", () => {
  for (const nothing of [undefined, null, 7, {}, { on() {} }, { postMessage() {} }, { send: undefined, on() {} }]) {
    assertThrows(
      () => new Channel(nothing as never, { heard() {}, ended() {} }),
      TypeError,
      "channel must be a worker, a port, or a process with a channel",
    );
  }
});
