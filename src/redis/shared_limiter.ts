/**
 * One limit for several processes and machines, through Redis or Valkey.
 *
 * @module
 */

import type { LimitsOptions } from "../core/limits.ts";
import { checkHook, checkWhole, formatValue, typeError } from "../core/validate.ts";
import { SHARING_OPTIONS, type SharingLimitOptions } from "../shared/options.ts";
import { StoreLimiter } from "../shared/store_limiter.ts";
import { checkOptions } from "../core/validate.ts";
import { RedisStore } from "./redis_store.ts";
import type { SendCommand } from "./script.ts";

/** The options of a {@linkcode SharedLimiter}. */
export interface SharedLimiterOptions extends SharingLimitOptions {
  /**
   * Sends a command through your client: `(args) => client.sendCommand(args)` or the like. The client is yours: you connect it, and
   * you close it, after the limiter. Switch its offline queue off: a command that waits for a connection says what was true then.
   */
  readonly send: SendCommand;
  /**
   * The name of the limit: up to 64 letters, digits, `_`, `.` and `-`. Limiters with the same name, and the same `prefix`, share
   * their limits.
   */
  readonly name: string;
  /**
   * What all keys start with. They go on with the name and a colon.
   *
   * @default {"connlimit:"}
   */
  readonly prefix?: string;
  /**
   * Milliseconds after which keys expire that nobody writes: at least twice `deadMs`, and at most a day. Keys of connections
   * that stay open are written again in time.
   *
   * @default {600000}
   */
  readonly keyTtlMs?: number;
}

const KNOWN = ["send", "name", "prefix", "keyTtlMs", ...SHARING_OPTIONS];
const NAME = /^[\w.-]{1,64}$/;

/**
 * A limiter whose limits hold for all processes together that name it, through Redis or Valkey.
 */
export class SharedLimiter extends StoreLimiter {
  /**
   * Creates a limiter, and sends a first command at once. If there is no answer, it starts without the store.
   *
   * @param limits The limits, as those of a `Limiter`.
   * @param options How to reach the store, and the name of the limit.
   * @throws {TypeError} For an unknown option or a value of the wrong type.
   * @throws {RangeError} For a number out of its range.
   */
  constructor(limits: LimitsOptions, options: SharedLimiterOptions) {
    checkOptions("options", "option of a shared limiter", options, KNOWN);
    const { send, name, prefix = "connlimit:", keyTtlMs = 600_000, ...sharing } = options as SharedLimiterOptions;
    if (send === undefined) throw typeError("send", "a function", send);
    checkHook("send", send);
    if (typeof name !== "string") throw typeError("name", "a string", name);
    if (!NAME.test(name)) {
      throw new RangeError(`name must be 1 to 64 letters, digits, "_", "." or "-", got ${formatValue(name)}`);
    }
    if (typeof prefix !== "string") throw typeError("prefix", "a string", prefix);
    checkWhole("keyTtlMs", keyTtlMs, 2 * (sharing.deadMs ?? 10_000), 86_400_000);
    super(limits, new RedisStore(send, `${prefix}${name}:`, keyTtlMs), sharing);
  }
}
