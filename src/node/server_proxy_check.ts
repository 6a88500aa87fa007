/**
 * The check for proxies that are taken for clients, where connections are refused before their requests are read.
 *
 * @module
 */

import type { ErrorHook } from "../admission/hooks.ts";
import { ProxyCheck } from "../admission/proxy_check.ts";
import type { OpenConns } from "../admission/open_conn.ts";
import type { Peer } from "../core/peer.ts";
import { peerOfSocket } from "./server_access.ts";
import type { ServerLike, ServerSocket } from "./server_like.ts";
import type { ServerRequest } from "./server_request.ts";

/** The number of requests that are looked at after a refusal, and of open connections. */
const MOST = 64;

/** Events with requests of HTTP. An event is heard only where the server hears it: a listener changes what servers do. */
const EVENTS = ["request", "upgrade"];

interface Emitter {
  listenerCount?(event: string): number;
  prependListener(event: string, listener: (request: ServerRequest) => void): unknown;
  removeListener(event: string, listener: (request: ServerRequest) => void): unknown;
}

/**
 * Looks at requests on admitted connections of the peer that has been refused, those under way and those that come next. Not
 * before a refusal, and not for streams that a server of HTTP/2 answers itself.
 */
export class ServerProxyCheck {
  readonly #server: ServerLike;
  readonly #check: ProxyCheck;
  readonly #open: OpenConns;
  #refused: Peer | undefined;
  #left = 0;

  constructor(server: ServerLike, open: OpenConns, onError: ErrorHook | undefined) {
    this.#server = server;
    this.#open = open;
    this.#check = new ProxyCheck(server, "count the clients behind it by limitServerRequests()", onError);
  }

  /** Called for refusals for the reason `"client"`. */
  refused(peer: Peer): void {
    if (!this.#check.isDue) return;
    const emitter = this.#server as unknown as Emitter;
    const events = EVENTS.filter((event) => (emitter.listenerCount?.(event) ?? 0) > 0);
    if (events.length === 0) return;
    const listening = this.#left > 0;
    this.#left = MOST;
    this.#refused = peer;
    // Those that have come before the refusal are not announced any more.
    this.#open.visit(MOST, ({ conn }) => {
      const request = (conn as { _httpMessage?: { req?: ServerRequest } | null })._httpMessage?.req;
      if (request !== undefined && this.#left > 0) this.#look(request);
    });
    if (this.#left === 0 || listening) return;
    this.#left = MOST;
    const listener = (request: ServerRequest) => {
      this.#look(request);
      if (this.#left > 0) return;
      for (const event of events) emitter.removeListener(event, listener);
    };
    for (const event of events) emitter.prependListener(event, listener);
  }

  /** Looks at a request. Nothing is left to do once it was the proxy's. */
  #look(request: ServerRequest): void {
    if (this.#left > 0) this.#left--;
    try {
      if (peerOfSocket(request.socket as ServerSocket, this.#server) !== this.#refused) return;
      if (this.#check.look(this.#refused, (name) => request.headers[name] !== undefined)) this.#left = 0;
    } catch {
      // A session of HTTP/2 that has ended throws where its socket is read.
    }
  }
}
