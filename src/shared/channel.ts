// deno-lint-ignore-file no-explicit-any -- whatever the listeners of the runtimes' own types ask for
/**
 * Channels between threads or processes, alike on all runtimes.
 *
 * @module
 */

import { MessageChannel, type MessagePort } from "node:worker_threads";
import { typeError } from "../core/validate.ts";

/**
 * One end of a channel: a `Worker` of the web or of `node:worker_threads`, a `MessagePort`, `parentPort`, `self` in a worker,
 * `process` in a child, a process of `fork()`, or a worker of `node:cluster`.
 */
export interface ChannelLike {
  /** Sends a message to another thread. */
  postMessage?(message: any, ...more: any[]): unknown;
  /** Sends a message to another process. */
  send?: ((message: any, ...more: any[]) => unknown) | undefined;
  /** Adds a listener, as Node has it. */
  on?(event: any, listener: any, ...more: any[]): unknown;
  /** Removes one. */
  off?(event: any, listener: any, ...more: any[]): unknown;
  /** Adds a listener, as the web has it. */
  addEventListener?(event: any, listener: any, ...more: any[]): unknown;
  /** Removes one. */
  removeEventListener?(event: any, listener: any, ...more: any[]): unknown;
  /** Begins to deliver messages. */
  start?(): unknown;
  /** The process of a worker of `node:cluster`. */
  readonly process?: object;
}

/** What is heard of the other end. */
export interface Hearing {
  /** A message of this library has come. */
  heard(message: readonly unknown[]): void;
  /** The other end is gone. It may be told more than once. */
  ended(): void;
}

const isDeno = "Deno" in globalThis;

/** Marks messages as this library's, since users may send their own by the same channel. */
const TAG = "connlimit";

/** The events that tell that the other end is gone: of workers, of ports, and of the process that has started this one. */
const ENDS = ["exit", "close", "disconnect"];

/** The same for processes that were started from here. One that has left its channel goes on, and so do its connections. */
const PROCESS_ENDS = ["exit"];

/** The same for workers of the web. Deno tells none. */
const WEB_ENDS = ["close"];

/**
 * By this a worker of the web on Deno asks for one end of a port. It keeps that as long as it lives, so that the port is closed
 * when it ends, however that comes about.
 */
const LIFELINE = "lifeline";
/** Ends of such ports. */
const lifelines = new Set<unknown>();

/** An end of a channel that is listened to. */
export class Channel {
  readonly #channel: ChannelLike;
  readonly #hearing: Hearing;
  readonly #listeners: [event: string, listener: (event: unknown) => void][];
  #open = true;
  #tellsEnd: boolean;
  /** The port whose other end a worker of the web keeps. */
  #lifeline: MessagePort | undefined;

  /** @throws {TypeError} If it is no end of a channel. */
  constructor(channel: ChannelLike, hearing: Hearing) {
    this.#channel = check(channel);
    this.#hearing = hearing;
    const web = typeof channel.on !== "function";
    const heard = (event: unknown) => this.#hear(web ? (event as { readonly data?: unknown }).data : event);
    const ended = () => this.#end();
    this.#listeners = [
      ["message", heard],
      ...endsOf(channel, web).map((event): [string, () => void] => [event, ended]),
    ];
    this.#tellsEnd = !web || !isDeno && "terminate" in channel;
    for (const [event, listener] of this.#listeners) {
      if (web) channel.addEventListener!(event, listener);
      else channel.on!(event, listener);
    }
    if (web) channel.start?.();
    if (isDeno && channel === globalThis) this.post([LIFELINE]);
  }

  /** Whether the end of the other one will be told, however it comes about. */
  get tellsEnd(): boolean {
    return this.#tellsEnd;
  }

  /** Whether the other end may be there. */
  get open(): boolean {
    return this.#open;
  }

  /** Sends a message. It is lost if the other end is gone. */
  post(message: readonly unknown[]): void {
    if (!this.#open) return;
    const tagged = [TAG, ...message];
    try {
      const { send, postMessage } = this.#channel;
      // Without a callback, Node throws at everyone that a process is gone.
      if (typeof postMessage === "function") postMessage.call(this.#channel, tagged);
      else send!.call(this.#channel, tagged, ignore);
    } catch {
      if (!isChild(this.#channel)) this.#end();
    }
  }

  /** Listens no more. */
  close(): void {
    this.#open = false;
    const channel = this.#channel;
    for (const [event, listener] of this.#listeners) {
      if (typeof channel.on !== "function") channel.removeEventListener?.(event, listener);
      else channel.off?.(event, listener);
    }
    this.#lifeline?.close();
  }

  #hear(message: unknown): void {
    if (!this.#open || !Array.isArray(message) || message[0] !== TAG) return;
    const [, first, ...others] = message;
    if (this.#channel === globalThis && typeof first === "object") lifelines.add(first);
    else if (isDeno && first === LIFELINE && others.length === 0) this.#throwLifeline();
    else this.#hearing.heard([first, ...others]);
  }

  #throwLifeline(): void {
    if (this.#lifeline !== undefined || !("terminate" in this.#channel)) return;
    const { port1, port2 } = new MessageChannel();
    this.#lifeline = port1;
    port1.on("close", () => this.#end());
    port1.start();
    port1.unref();
    this.#channel.postMessage!([TAG, port2], [port2]);
    this.#tellsEnd = true;
  }

  #end(): void {
    if (!this.#open) return;
    this.close();
    this.#hearing.ended();
  }
}

function check(channel: ChannelLike): ChannelLike {
  const { postMessage, send, on, addEventListener } = channel ?? {};
  const sends = [postMessage, send].some((method) => typeof method === "function");
  if (sends && [on, addEventListener].some((method) => typeof method === "function")) return channel;
  throw typeError("channel", "a worker, a port, or a process with a channel", channel);
}

function endsOf(channel: ChannelLike, web: boolean): readonly string[] {
  if (web) return WEB_ENDS;
  return isChild(channel) ? PROCESS_ENDS : ENDS;
}

/** Whether it is a process that was started from here. */
function isChild(channel: ChannelLike): boolean {
  return "signalCode" in (channel.process ?? channel);
}

function ignore(): void {}
