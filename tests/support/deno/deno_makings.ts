/**
 * Limited listeners of Deno and their clients.
 *
 * @module
 */

import { connectFrom } from "../net.ts";
import type { Making } from "../makings.ts";
import { listen, tcp } from "./deno_listeners.ts";

export const makings: readonly Making[] = [{
  name: "TCP",
  refusal: "FIN",
  native: tcp,
  listen,
  connect: (port, localAddress = "127.0.0.1") => connectFrom(localAddress, port),
}];
