// deno-lint-ignore-file no-explicit-any -- whatever the listeners of the runtimes' own types ask for
/**
 * Channels between threads or processes, alike on all runtimes.
 *
 * @module
 */

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
  /** Ends a worker of the web. */
  terminate?(): unknown;
}

/** What is heard of the other end. */
export interface Hearing {
  /** A message of this library has come. */
  heard(message: readonly unknown[]): void;
  /** The other end is gone. It may be told more than once. */
  ended(): void;
}

/** Marks messages as this library's, since users may send their own by the same channel. */
const TAG = "connlimit";

/** The events that tell that the other end is gone: of processes and workers, of ports, and of processes that disconnect. */
const ENDS = ["exit", "close", "disconnect"];

/** The same for workers of the web. An uncaught error ends them. */
const WEB_ENDS = ["close", "error"];

/** An end of a channel that is listened to. */
export class Channel {
  readonly #channel: ChannelLike;
  readonly #hearing: Hearing;
  readonly #listeners: [event: string, listener: (event: unknown) => void][];
  #terminate: (() => unknown) | undefined;
  #open = true;
  /** Whether the end of the other one will be told, however it comes about. Deno does not tell that a port is closed. */
  readonly tellsEnd: boolean;

  /** @throws {TypeError} If it is no end of a channel. */
  constructor(channel: ChannelLike, hearing: Hearing) {
    this.#channel = check(channel);
    this.#hearing = hearing;
    const web = typeof channel.on !== "function";
    const heard = (event: unknown) => this.#hear(web ? (event as { readonly data?: unknown }).data : event);
    const ended = () => this.#end();
    this.#listeners = [
      ["message", heard],
      ...(web ? WEB_ENDS : ENDS).map((event): [string, () => void] => [event, ended]),
    ];
    this.tellsEnd = tellsEnd(channel, web);
    for (const [event, listener] of this.#listeners) {
      if (web) channel.addEventListener!(event, listener);
      else channel.on!(event, listener);
    }
    if (web) {
      channel.start?.();
      this.#watchTerminate();
    }
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
      this.#end();
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
    if (this.#terminate !== undefined) channel.terminate = this.#terminate;
    this.#terminate = undefined;
  }

  #hear(message: unknown): void {
    if (this.#open && Array.isArray(message) && message[0] === TAG) this.#hearing.heard(message.slice(1));
  }

  #end(): void {
    if (!this.#open) return;
    this.close();
    this.#hearing.ended();
  }

  /** Deno tells nothing of a worker that is terminated. */
  #watchTerminate(): void {
    const channel = this.#channel;
    const { terminate } = channel;
    if (typeof terminate !== "function") return;
    this.#terminate = terminate;
    channel.terminate = () => {
      terminate.call(channel);
      this.#end();
    };
  }
}

function check(channel: ChannelLike): ChannelLike {
  const { postMessage, send, on, addEventListener } = channel ?? {};
  const sends = [postMessage, send].some((method) => typeof method === "function");
  if (sends && [on, addEventListener].some((method) => typeof method === "function")) return channel;
  throw typeError("channel", "a worker, a port, or a process with a channel", channel);
}

/** Of Deno's ends, processes and workers of `node:worker_threads` tell it. */
function tellsEnd(channel: ChannelLike, web: boolean): boolean {
  return !("Deno" in globalThis) || !web && (channel.postMessage === undefined || "threadId" in channel);
}

function ignore(): void {}
