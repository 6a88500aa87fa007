/**
 * A worker or a child process that sends back what it is sent.
 *
 * @module
 */

import { Channel } from "../../../src/shared/channel.ts";
import { parentChannel } from "../../../src/shared/parent_channel.ts";

const channel = new Channel(parentChannel(), {
  heard: (message) => channel.post(["echo", ...message]),
  ended() {},
});
channel.post(["ready"]);
