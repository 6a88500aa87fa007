/**
 * `logRefusals()`: a log of refusals that nobody can flood.
 *
 * @module
 */

import { setTimeout } from "node:timers";
import type { ClientKey } from "../core/client_key.ts";
import type { DisposableLike } from "../core/disposable_like.ts";
import { byReason } from "../core/reasons.ts";
import type { Refusal } from "../core/slot.ts";
import { checkDeadline, checkOptions, checkWhole, typeError } from "../core/validate.ts";
import { hookFailed } from "./hooks.ts";
import { printable } from "./printable.ts";
import { type AddressDetail, clientText, NOBODY, type RefusalLogEntry, textOf } from "./refusal_log.ts";
import { NOTE_REFUSED, refusedClient } from "./refused_client.ts";
import { Tally } from "./tally.ts";

/** What lines are written to: `console`, or a logger with such a method. */
export interface LoggerLike {
  /** Writes a line. Its result is ignored. */
  warn(line: unknown): unknown;
}

/** The options of `logRefusals()`. */
export interface LogRefusalsOptions {
  /**
   * What to write to, by its method `warn`.
   *
   * @default {console}
   */
  readonly logger?: LoggerLike;
  /** A name to have in each line, such as that of the server. At most 64 characters of it are written. */
  readonly name?: string;
  /**
   * Milliseconds of a period, from 1. A period begins with a refusal.
   *
   * @default {10_000}
   */
  readonly period?: number;
  /**
   * The most clients that have a line of their own in a period, 0 to 1,000. The rest is summed up in one line at its end.
   *
   * @default {10}
   */
  readonly lines?: number;
  /**
   * What to write of a client. Addresses and keys are personal data.
   *
   * - `"full"`: the client, as the limiter counts it;
   * - `"network"`: its IPv4 /24 or IPv6 /48, and nothing of a key;
   * - `"none"`: nothing.
   *
   * @default {"full"}
   */
  readonly address?: "full" | "network" | "none";
  /**
   * How to write: `"text"` for people, `"json"` for one object of JSON a line, or a function that returns what `logger.warn`
   * is called with.
   *
   * @default {"text"}
   */
  readonly format?: "text" | "json" | ((entry: RefusalLogEntry) => unknown);
}

/** A hook for `onRefused`. It writes lines, and is disposed of when the server ends. */
export interface RefusalLog extends DisposableLike {
  /**
   * Notes a refusal.
   *
   * @param refusal The refusal.
   * @param conn What was refused: a connection, a socket, an address, or `{ key }`. In a hook, the client is the one that the
   * limiter was asked for, whatever this is.
   */
  (refusal: Pick<Refusal, "reason" | "dryRun">, conn: unknown, ...more: unknown[]): void;
  /** Writes now what the period's last line would say. */
  flush(): void;
}

/**
 * Makes a hook for `onRefused` that writes lines to a log, and that can be left on under attack. It works for listeners,
 * servers and handlers of every kind; one can serve several.
 *
 * The first refusal of a client in a period has a line at once, and so up to `lines` clients. All other refusals of the
 * period share one line at its end. A period so has at most `lines + 1` lines. For example:
 *
 * ```text
 * connlimit: refused 203.0.113.9 (client)
 * connlimit: refused 1,204 more from 310 clients in 10 s, most from 203.0.113.9: 411
 * ```
 *
 * It stores at most 1,000 clients, for a period. A client is what the limiter counts: the one behind the proxy where there is
 * an option `client`; if that could not be found, the proxy. No text of a client can end a line or look like another one's:
 * keys are quoted, escaped and cut at 64 characters.
 *
 * The hook must be called before `onRefused` returns; afterwards, and outside of it, a client is the address of `conn` or its
 * IPv6 /64. What `logger.warn` throws goes to `onError` of the listener or server, or at the end of a period to
 * `console.error`, once. The timer keeps no process alive, so call `flush()` or use `using` before the process ends.
 *
 * @example A server that tells whom it refuses
 * ```ts ignore
 * import { limitedListener, logRefusals } from "@connlimit/connlimit";
 *
 * const onRefused = logRefusals({ name: "chat" });
 * const listener = limitedListener(Deno.listen({ port: 7000 }), { maxPerClient: 10 }, { onRefused });
 * ```
 *
 * @throws {TypeError} For an unknown option or a value of the wrong type.
 * @throws {RangeError} For a number out of range.
 */
export function logRefusals(options: LogRefusalsOptions = {}): RefusalLog {
  const period = new LogPeriod(checkLogOptions(options));
  const note = (refusal: NotedRefusal, client: ClientKey | undefined) => period.note(client ?? NOBODY, refusal);
  const log = (refusal: NotedRefusal, conn: unknown) => note(refusal, refusedClient(conn));
  return Object.assign(log, {
    flush: () => period.flush(),
    [Symbol.dispose]: () => period.end(),
    [NOTE_REFUSED]: note,
  }) as unknown as RefusalLog;
}

type NotedRefusal = Pick<Refusal, "reason" | "dryRun">;

type CheckedOptions = Required<Omit<LogRefusalsOptions, "name">> & Pick<LogRefusalsOptions, "name">;

const DETAILS: readonly AddressDetail[] = ["full", "network", "none"];

function checkLogOptions(options: LogRefusalsOptions): CheckedOptions {
  const given: unknown = options;
  checkOptions("options", "option", given, ["logger", "name", "period", "lines", "address", "format"]);
  const { logger = console, name, period = 10_000, lines = 10, address = "full", format = "text" } = options;
  if (typeof (logger as Partial<LoggerLike> | null)?.warn !== "function") {
    throw typeError("logger", "an object with a method warn", logger);
  }
  if (name !== undefined && typeof name !== "string") throw typeError("name", "a string", name);
  checkDeadline("period", period);
  if (period < 1) throw new RangeError(`period must be at least 1 millisecond, got ${period}`);
  checkWhole("lines", lines, 0, 1_000);
  if (!DETAILS.includes(address)) throw typeError("address", '"full", "network" or "none"', address);
  if (typeof format !== "function" && format !== "text" && format !== "json") {
    throw typeError("format", '"text", "json" or a function', format);
  }
  return { logger, ...(name !== undefined && { name: printable(name) }), period, lines, address, format };
}

/** Clients that are told apart among the refusals without a line of their own. */
const CLIENTS = 1_000;

/** The refusals of a period. */
class LogPeriod {
  readonly #options: CheckedOptions;
  /** Those that have a line. */
  readonly #named = new Set<ClientKey>();
  /** The others. */
  readonly #more = new Tally(CLIENTS);
  #refusedBy = byReason(() => 0);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #start = 0;
  #ended = false;
  /** Whether a line may be due: not for the rest of a period in which all have been written. */
  #mayWrite = true;

  constructor(options: CheckedOptions) {
    this.#options = options;
  }

  /** Notes a refusal. */
  note(client: ClientKey, refusal: NotedRefusal): void {
    if (this.#mayWrite && this.#tell(client, refusal)) return;
    const { reason } = refusal;
    this.#more.add(client, reason);
    this.#refusedBy[reason]++;
  }

  /** Tells of a client that has no line yet. Returns whether there is nothing more to do. */
  #tell(client: ClientKey, { reason, dryRun }: NotedRefusal): boolean {
    if (this.#ended) return true;
    if (this.#timer === undefined) this.#begin();
    const { lines, address } = this.#options;
    if (this.#named.has(client)) return false;
    if (this.#named.size === lines) return this.#mayWrite = false;
    this.#named.add(client);
    const text = clientText(client, address);
    this.#write({
      event: "refused",
      ...this.#name(),
      ...(text !== undefined && { client: text }),
      reason,
      ...(dryRun && { dryRun }),
    });
    return true;
  }

  /** Writes the line of the refusals without one. */
  flush(): void {
    const more = this.#more;
    if (more.total === 0) return;
    const { address } = this.#options;
    const [most, { count }] = [...more].reduce((one, other) => other[1].count > one[1].count ? other : one);
    const text = clientText(most, address);
    const entry: RefusalLogEntry = {
      event: "refused more",
      ...this.#name(),
      refused: more.total,
      clients: more.most,
      moreClients: more.error > 0,
      most: { ...(text !== undefined && { client: text }), refused: count },
      refusedBy: Object.fromEntries(Object.entries(this.#refusedBy).filter(([, count]) => count > 0)),
      seconds: Math.ceil((performance.now() - this.#start) / 1_000),
    };
    more.clear();
    this.#refusedBy = byReason(() => 0);
    this.#start = performance.now();
    this.#write(entry);
  }

  /** Writes what is left, and nothing more. */
  end(): void {
    this.#ended = this.#mayWrite = true;
    clearTimeout(this.#timer);
    this.flush();
  }

  #name(): { readonly name?: string } {
    const { name } = this.#options;
    return name === undefined ? {} : { name };
  }

  #begin(): void {
    this.#start = performance.now();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#mayWrite = true;
      this.#named.clear();
      try {
        this.flush();
      } catch (error) {
        hookFailed(this, undefined, error);
      }
    }, this.#options.period);
    this.#timer.unref();
  }

  #write(entry: RefusalLogEntry): void {
    const { logger, format } = this.#options;
    logger.warn(format === "text" ? textOf(entry) : format === "json" ? JSON.stringify(entry) : format(entry));
  }
}
