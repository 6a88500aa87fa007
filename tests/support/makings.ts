/**
 * Limited listeners and their clients, for tests of what Deno and Bun have in common.
 *
 * @module
 */

import type { ConnLike, LimitedListener, LimitedListenerOptions, Limiter, LimitsOptions } from "@connlimit/connlimit";
import type { Client } from "./net.ts";
import { isBun } from "./platform.ts";

/** A limited listener of either runtime. */
export type Listener = LimitedListener<ConnLike, { readonly port: number }>;

/** What `limitedListener()` takes besides a listener. */
export type LimitedArgs<C extends ConnLike> = [limits?: Limiter | LimitsOptions, options?: LimitedListenerOptions<C>];

/** How listeners of one kind and their clients are made. */
export interface Making {
  /** The kind. */
  readonly name: string;
  /** How a client sees that it is refused, when it has sent nothing. */
  readonly refusal: "FIN" | "RST";
  /** Makes a listener of the runtime's own. */
  native(): Disposable;
  /** Makes a limited listener. */
  listen(...args: LimitedArgs<ConnLike>): Listener;
  /** Connects to one, by default from 127.0.0.1; with TLS, up to the end of the handshake. */
  connect(port: number, localAddress?: string): Promise<Client>;
}

const { makings } = await import(isBun ? "./bun/bun_makings.ts" : "./deno/deno_makings.ts");

/** Every kind of listener that the runtime has. The first of them is the plainest. */
export const MAKINGS: readonly [Making, ...Making[]] = makings;
