/**
 * Stands between clients and Redis, and does to their commands what networks and servers do.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { MessageReader, type Reply } from "./resp.ts";

/** What happens to a command. Without any of these it passes. */
export interface Fate {
  /** The command and all after it on its connection do not arrive, as in a network that is cut. */
  readonly lost?: boolean;
  /** The command is executed; its reply and all after it on its connection do not come back. */
  readonly unanswered?: boolean;
  /** Milliseconds until the command arrives. Those after it wait behind it. */
  readonly delay?: number;
  /** Milliseconds until the reply to a command that has been executed comes back. Those after it wait behind it. */
  readonly delayReply?: number;
  /** How often the command is executed. The first of the replies comes back. @default {1} */
  readonly times?: number;
  /** The reply, in the words of the protocol without the end of the line. Redis does not see the command. */
  readonly reply?: string;
}

/** Decides on a command. */
export type Judge = (args: readonly string[]) => Fate | undefined;

/** A relay at a port of its own. */
export class Relay implements AsyncDisposable {
  /** The port that commands are sent on to. A change holds for connections that are made from then on. */
  target: number;
  /** By default everything passes. */
  judge: Judge = () => undefined;
  /** How many commands came. */
  commands = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #isOver = false;

  private constructor(target: number, server: Server) {
    this.target = target;
    this.#server = server;
    server.on("connection", (client) => this.#serve(client));
  }

  static async start(target: number): Promise<Relay> {
    const server = createServer({ noDelay: true }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Relay(target, server);
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Swallows all that comes from now on, on connections that stay open. `pass()` helps new connections only. */
  swallow(): void {
    this.judge = () => ({ lost: true });
  }

  /** Lets everything pass again. */
  pass(): void {
    this.judge = () => undefined;
  }

  /** Ends all connections, as where a server has gone. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(client: Socket): void {
    const redis = connect({ host: "127.0.0.1", port: this.target, noDelay: true });
    for (const [socket, other] of [[client, redis], [redis, client]] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    const [commands, replies] = [new MessageReader(), new MessageReader()];
    /** What is done with the replies that Redis still owes. */
    const owed: ((bytes: Uint8Array) => void)[] = [];
    redis.on("data", (chunk) => {
      for (const [, bytes] of replies.read(chunk)) owed.shift()?.(bytes);
    });
    /** One command after the other, and their replies as well, as TCP has them. */
    let sent: Promise<void> = Promise.resolve();
    let answered = sent;
    client.on("data", (chunk) => {
      for (const [message, bytes] of commands.read(chunk)) {
        this.commands++;
        const { lost, unanswered, delay = 0, delayReply = 0, times = 1, reply } = this.judge(words(message)) ?? {};
        let resolve!: (answer: Uint8Array) => void;
        const answer = new Promise<Uint8Array>((it) => resolve = it);
        sent = sent.then(async () => {
          if (delay > 0) await this.#wait(delay);
          if (lost) await never;
          if (reply !== undefined) return resolve(Buffer.from(`${reply}\r\n`));
          for (let i = 0; i < times; i++) owed.push(i === 0 ? resolve : () => {});
          for (let i = 0; i < times; i++) redis.write(bytes);
        });
        answered = answered.then(async () => {
          const bytes = await answer;
          if (delayReply > 0) await this.#wait(delayReply);
          if (unanswered) await never;
          client.write(bytes);
        });
      }
    });
  }

  async #wait(ms: number): Promise<void> {
    if (this.#isOver) await never;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, ms);
      this.#timers.add(timer);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What was read before may only now come to wait.
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.cut();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }
}

/** What is behind it waits for good. */
const never = new Promise<never>(() => {});

function words(message: Reply): readonly string[] {
  return Array.isArray(message) ? message.map(String) : [String(message)];
}
