/**
 * Limited listeners of Bun and their clients.
 *
 * @module
 */

import type { Making } from "../makings.ts";
import { connect, KINDS } from "./kinds.ts";
import { limited, onLoopback } from "./limited.ts";

export const makings: readonly Making[] = KINDS.map((kind) => ({
  name: kind.name,
  refusal: kind.tls ? "RST" : "FIN",
  native: () => Bun.listen(onLoopback),
  listen: (limits, options) => limited(kind, limits, options),
  connect: (port, localAddress) => connect(kind, port, localAddress),
}));
