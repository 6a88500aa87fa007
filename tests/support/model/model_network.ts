/**
 * What is between the instances of a model and their store.
 *
 * @module
 */

import type { CountRequest, SharedStore } from "../../../src/shared/store.ts";
import type { ModelStore } from "./model_store.ts";

/** Settles when the model says so, and at once then: no turn of the event loop is needed. */
class Later {
  #resolve: ((value: never) => unknown) | undefined;
  #reject: ((error: unknown) => unknown) | undefined;

  then(resolve: (value: never) => unknown, reject: (error: unknown) => unknown): this {
    this.#resolve = resolve;
    this.#reject = reject;
    return this;
  }

  settle(outcome: Outcome): void {
    if ("error" in outcome) this.#reject?.(outcome.error);
    else this.#resolve?.(outcome.reply as never);
  }
}

type Outcome = { readonly reply: unknown } | { readonly error: unknown };

function describe({ key, have, want, seq, since }: CountRequest): string {
  return `${key} has ${have} wants ${want} (${seq} since ${since})`;
}

/** A call on its way to the store, or its reply on the way back. */
export class Message {
  readonly owner: object;
  readonly isBeat: boolean;
  readonly #call: () => unknown;
  readonly later: Later = new Later();
  readonly what: string;

  constructor(owner: object, isBeat: boolean, what: string, call: () => unknown) {
    this.what = what;
    this.owner = owner;
    this.isBeat = isBeat;
    this.#call = call;
  }

  /** The store executes it. */
  execute(): Outcome {
    try {
      return { reply: this.#call() };
    } catch (error) {
      return { error };
    }
  }
}

/** A reply that is on its way. */
export interface Reply {
  readonly message: Message;
  readonly outcome: Outcome;
}

/** Holds every message until the model decides what becomes of it. */
export class ModelNetwork {
  messages: Message[] = [];
  replies: Reply[] = [];
  readonly #store: ModelStore;
  readonly #gone = new Set<object>();

  constructor(store: ModelStore) {
    this.#store = store;
  }

  /** The store as an instance sees it. */
  storeOf(owner: object, ttlMs: number): SharedStore {
    const store = this.#store;
    const send = <T>(what: string, call: () => unknown, isBeat = false): PromiseLike<T> => {
      const message = new Message(owner, isBeat, what, call);
      this.messages.push(message);
      return message.later as unknown as PromiseLike<T>;
    };
    return {
      ttlMs,
      count: (request) => send(describe(request), () => store.count(request)),
      reap: (key, entries) => send(`reap ${key}`, () => store.reap(key, entries)),
      total: (key) => send(`total ${key}`, () => store.countOf(key)),
      beat: (sign, gone) => send(`beat ${sign.beat}`, () => store.beat(sign, gone), true),
      leave: (id) => send("leave", () => store.leave(id)),
    };
  }

  /** Executes a message. Its reply is on its way, unless it is lost. */
  execute(message: Message, { again = false, replies = true }: { again?: boolean; replies?: boolean } = {}): void {
    if (!again) this.messages = this.messages.filter((other) => other !== message);
    const outcome = message.execute();
    if (replies && !this.#gone.has(message.owner)) this.replies.push({ message, outcome });
  }

  /** A message is lost. */
  drop(message: Message): void {
    this.messages = this.messages.filter((other) => other !== message);
  }

  /** A message is answered by an error. */
  fail(message: Message, executed: boolean): void {
    this.drop(message);
    if (executed) message.execute();
    if (!this.#gone.has(message.owner)) this.replies.push({ message, outcome: { error: new Error("failed") } });
  }

  /** An instance is no more: no reply arrives there. */
  forget(owner: object): void {
    this.replies = this.replies.filter(({ message }) => message.owner !== owner);
    this.#gone.add(owner);
  }

  /** A reply arrives. */
  deliver(reply: Reply): void {
    this.replies = this.replies.filter((other) => other !== reply);
    reply.message.later.settle(reply.outcome);
  }

  /** Everything that is on its way arrives, and what that brings about. */
  flow(told: (what: string) => void): void {
    while (this.messages.length + this.replies.length > 0) {
      const [reply] = this.replies;
      const [message] = this.messages;
      told(reply ? `${reply.message.what}: ${JSON.stringify(reply.outcome)}` : message!.what);
      if (reply !== undefined) this.deliver(reply);
      else this.execute(message!);
    }
  }
}
