/**
 * One limiter in front of the requests of one server.
 *
 * @module
 */

import type { Timeout } from "../admission/deadline_options.ts";
import { createGate, type Gate } from "../admission/gate.ts";
import { tellOnce } from "../admission/checks.ts";
import { type ErrorHook, hookFailed, isThenable } from "../admission/hooks.ts";
import type { PendingStage } from "../admission/pending_stage.ts";
import type { Admitter, Port } from "../admission/port.ts";
import { waitingStage, type WaitOptions } from "../admission/wait_options.ts";
import { WaitingLimiter } from "../admission/waiting_limiter.ts";
import { ProxyCheck } from "../admission/proxy_check.ts";
import { faultOf } from "../admission/unknown_client.ts";
import type { Peer } from "../core/peer.ts";
import type { Refusal, Slot } from "../core/slot.ts";
import { TokenBucket } from "../core/token_bucket.ts";
import {
  checkAnswer,
  isBegun,
  type ReadyAnswer,
  readyOf,
  refuseRequest,
  type RequestAnswer,
  usualAnswer,
} from "./refuse_request.ts";
import { RequestDeadlines } from "./request_deadlines.ts";
import { bindRequest, isCounted } from "./request_record.ts";
import type { ServerLike, ServerSocket } from "./server_like.ts";
import { peerOfSocket } from "./server_access.ts";
import type { Exchange, ServerRequest } from "./server_request.ts";

/**
 * The options of `limitServerRequests()`.
 *
 * @typeParam Q The requests.
 */
export interface LimitServerRequestsOptions<Q extends ServerRequest = ServerRequest> extends WaitOptions {
  /**
   * Returns the client of a request, for servers behind a proxy: an address without port or brackets, or `{ key }`.
   * `forwarded()` of `./proxy` makes one. `peer` is the connection's. If it returns nothing or throws, the request is
   * refused as `"unknown-address"`; what it throws goes to `onError`. It must not return a promise.
   *
   * With it, connections may carry requests of many clients, so refusals leave them open, unless `answer` has
   * `Connection: close`. A refused upgrade always closes its connection.
   *
   * @default the address of the connection
   */
  readonly client?: (request: Q, peer: Peer) => Peer | null | undefined;
  /**
   * Returns the answer to a refused request or upgrade. If it returns nothing, something invalid, or throws, the default is
   * used, and what is wrong goes to `onError`.
   *
   * A server answers ten refused upgrades per second, or 100 at once after a while without any, for a second each. It closes
   * the connections of others, and does not call `answer` for them.
   *
   * @default `429` for `"client"`, `"aggregate"`, `"fair-share"` and `"rate"`, `503` for `"total"`, all with `Retry-After`;
   * `403` for other reasons. All have a line of text, and without `client` also `Connection: close`
   */
  readonly answer?: (refusal: Refusal, request: Q, client: Peer | undefined) => RequestAnswer | void;
  /**
   * Called for each refused request, before it is answered. `client` is the client that was found. Its result is ignored.
   * What it throws or rejects with goes to `onError`.
   */
  readonly onRefused?: (refusal: Refusal, request: Q, client: Peer | undefined) => unknown;
  /**
   * Milliseconds in which a byte of an upgraded socket must be read or written: 1 to 2,147,483,647, or `Infinity`. What the
   * client does not take is not written.
   *
   * @default {Infinity}
   */
  readonly idleTimeout?: number;
  /**
   * Milliseconds that a request may take, with its response, and that an upgraded socket may be open: 1 to 2,147,483,647, or
   * `Infinity`. Then the connection is closed, or with HTTP/2 the stream.
   *
   * @default {Infinity}
   */
  readonly maxAge?: number;
  /**
   * Called for each request that has met a deadline, right before it is cut off. `client` is the client that was found. Its
   * result is ignored. What it throws or rejects with goes to `onError`.
   */
  readonly onTimeout?: (timeout: Timeout, request: Q, client: Peer | undefined) => unknown;
  /**
   * Receives what `client`, `answer`, `onRefused` or `onTimeout` throws or rejects with, why an answer cannot be sent, and once for each
   * cause why what `client` returns is no client. Without it, the first of each is logged with `console.error`.
   */
  readonly onError?: ErrorHook;
}

/** The port of one limiter for the requests of one server. Offers result in whether the server may have the request. */
export class RequestsPort implements Port<Exchange, boolean> {
  readonly limiter: Admitter;
  readonly #server: ServerLike;
  readonly #options: LimitServerRequestsOptions;
  readonly #gate: Gate<Exchange, boolean>;
  readonly #deadlines: RequestDeadlines | undefined;
  readonly #proxies: ProxyCheck;
  /** A refused upgrade that is being answered has a descriptor and no slot. */
  readonly #upgradeAnswers = new TokenBucket(10, 100);

  constructor(
    server: ServerLike,
    limiter: Admitter,
    options: LimitServerRequestsOptions,
    pending?: PendingStage<Exchange>,
  ) {
    this.limiter = limiter;
    this.#server = server;
    this.#options = options;
    const { onRefused, onTimeout, onError, idleTimeout = Infinity, maxAge = Infinity } = options;
    this.#proxies = new ProxyCheck(server, "set the option client", onError);
    const hooks = {
      onError,
      onRefused: onRefused &&
        ((refusal: Refusal, { request, client }: Exchange) => onRefused(refusal, request, client)),
    };
    this.#deadlines = RequestDeadlines.of({
      idleTimeout,
      maxAge,
      ...onError && { onError },
      ...onTimeout && {
        onTimeout: (timeout, { request, client }: Exchange) => onTimeout(timeout, request, client),
      },
    }, limiter);
    const admitter = options.whenFull === "wait" ? WaitingLimiter.of(limiter) : limiter;
    this.#gate = createGate(this, admitter, hooks, waitingStage(options) ?? pending);
  }

  offer(exchange: Exchange): boolean | Promise<boolean> {
    return isCounted(exchange, this.limiter) || this.#gate(exchange);
  }

  peerOf(exchange: Exchange): Peer {
    const { client } = this.#options;
    const peer = this.#peerOf(exchange);
    return exchange.client = client === undefined ? peer : this.#ask(client, exchange, peer);
  }

  /** A session of HTTP/2 that has ended throws where its socket is read. */
  #peerOf({ request }: Exchange): Peer {
    try {
      return peerOfSocket(request.socket as ServerSocket, this.#server);
    } catch {
      return {};
    }
  }

  #ask(client: NonNullable<LimitServerRequestsOptions["client"]>, exchange: Exchange, peer: Peer): Peer {
    const { onError } = this.#options;
    try {
      const found = client(exchange.request, peer);
      // Plain JavaScript can return a promise, which is no peer. Its rejection must not end the process.
      if (isThenable(found)) found.then(undefined, (error) => hookFailed(client, onError, error));
      return found as Peer;
    } catch (error) {
      hookFailed(client, onError, error);
      exchange.failed = true;
      return undefined as unknown as Peer;
    }
  }

  admit(exchange: Exchange, slot: Slot): boolean {
    bindRequest(exchange, slot, this.limiter, this.#deadlines);
    return true;
  }

  present(exchange: Exchange): Exchange {
    return exchange;
  }

  refuse(exchange: Exchange, refusal: Refusal): boolean {
    const { client, onError } = this.#options;
    if (client !== undefined && refusal.reason === "unknown-address" && !exchange.failed) {
      // A server that refuses everyone must not do so in silence.
      const fault = faultOf(exchange.client);
      tellOnce(client, "client-unnamed", onError, () => fault.message, fault.remedy);
    }
    if (client === undefined && refusal.reason === "client" && this.#proxies.isDue) {
      this.#proxies.look(exchange.client, (name) => exchange.request.headers[name] !== undefined);
    }
    const { kind } = exchange;
    if (kind === "tunnel" && !this.#upgradeAnswers.take()) return this.drop(exchange);
    const own = this.#ownAnswer(exchange, refusal);
    const usual = usualAnswer(refusal, client !== undefined || kind === "stream");
    for (const answer of own === undefined ? [usual] : [own, usual]) {
      if (this.#send(exchange, answer)) return false;
      if (isBegun(exchange)) break;
    }
    return this.drop(exchange);
  }

  /** A server throws at what it does not send, and nobody else would catch it. */
  #send(exchange: Exchange, answer: ReadyAnswer): boolean {
    try {
      refuseRequest(exchange, answer);
      return true;
    } catch (error) {
      hookFailed(this.#options.answer ?? this, this.#options.onError, error);
      return false;
    }
  }

  #ownAnswer({ request, client, kind }: Exchange, refusal: Refusal): ReadyAnswer | undefined {
    const { answer, onError } = this.#options;
    if (answer === undefined) return undefined;
    try {
      const own = answer(refusal, request, client);
      if (isThenable(own)) own.then(undefined, () => {});
      if (own === undefined) return undefined;
      checkAnswer(own, kind);
      return readyOf(own);
    } catch (error) {
      hookFailed(answer, onError, error);
      return undefined;
    }
  }

  hold({ subject, conn }: Exchange, ended: () => void): () => void {
    subject.on("close", ended);
    conn?.on("close", ended);
    return () => {
      subject.off("close", ended);
      conn?.off("close", ended);
    };
  }

  drop({ subject }: Exchange): boolean {
    subject.on("error", ignore);
    subject.destroy();
    return false;
  }
}

function ignore(): void {}
