/**
 * A worker or a child process that counts connections in the store of its parent, as its parent tells it.
 *
 * @module
 */

import { Channel } from "../../../src/shared/channel.ts";
import { ChannelStore } from "../../../src/shared/channel_store.ts";
import { parentChannel } from "../../../src/shared/parent_channel.ts";

const store = new ChannelStore();
let seq = 0;
const channel = new Channel(parentChannel(), {
  async heard([command, ...args]) {
    if (command === "take") {
      const [id, key, want] = args as [string, string, number];
      const { granted } = await store.count({ key, id, seq: ++seq, have: 0, want, max: 10, split: 0 });
      channel.post(["took", granted]);
    } else if (command === "throw") {
      setTimeout(() => {
        throw new Error("this worker ends");
      });
    } else if (command === "block") {
      channel.post(["blocked"]);
      for (const end = Date.now() + Number(args[0]); Date.now() < end;);
      channel.post(["back"]);
    }
  },
  ended() {},
});
channel.post(["ready"]);
