/**
 * `observeLimiter()`: the metrics of a limiter, by an OpenTelemetry meter.
 *
 * @module
 */

import type { DisposableLike } from "../core/disposable_like.ts";
import type { LimiterStats } from "../core/limiter_stats.ts";
import type { Limits } from "../core/limits.ts";
import { checkOptions, checkPlainObject, formatValue, typeError } from "../core/validate.ts";
import { type Created, createInstruments, EMPTIED, INSTRUMENTS } from "./instruments.ts";
import type { AttributesLike, BatchResultLike, MeterLike } from "./meter_like.ts";

/** The options of `observeLimiter()`. */
export interface ObserveLimiterOptions {
  /**
   * The value of the attribute `connlimit.limiter.name`. Each limiter of a meter needs a name of its own.
   *
   * @default {"default"}
   */
  readonly name?: string;
  /**
   * Attributes of all measurements, such as `{ "server.port": 7000, "network.transport": "tcp" }`.
   *
   * @default {{}}
   */
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

/** What is observed of a limiter. */
export interface ObservedLimiter {
  /** Its counters. */
  stats(): LimiterStats;
  /** Its limits. */
  readonly limits: Limits;
}

/** The instruments of a meter, and what takes away their callbacks, by the limiters' names. */
interface Observed {
  readonly instruments: Created;
  readonly removals: Map<string, () => void>;
}

const observedBy = new WeakMap<object, Observed>();

/**
 * Has a meter of `@opentelemetry/api` observe a limiter. It reads the limiter's counters when the meter collects, and costs
 * nothing else: no connection is slower for it.
 *
 * | metric                              | instrument    | attributes beside the name                                      |
 * | ----------------------------------- | ------------- | --------------------------------------------------------------- |
 * | `connlimit.connection.count`        | UpDownCounter |                                                                 |
 * | `connlimit.connection.peak`         | Gauge         |                                                                 |
 * | `connlimit.connection.pending`      | UpDownCounter |                                                                 |
 * | `connlimit.connection.limit`        | UpDownCounter | `connlimit.limit.level`: `client`, `total`                      |
 * | `connlimit.client.count`            | UpDownCounter |                                                                 |
 * | `connlimit.connection.admitted`     | Counter       |                                                                 |
 * | `connlimit.connection.refused`      | Counter       | `connlimit.refusal.reason`                                      |
 * | `connlimit.connection.would_refuse` | Counter       | `connlimit.refusal.reason`; in a dry run                        |
 * | `connlimit.connection.timed_out`    | Counter       | `connlimit.timeout.kind`                                        |
 * | `connlimit.connection.evicted`      | Counter       |                                                                 |
 *
 * Their unit is `{connection}`, that of clients `{client}`. Where there is no limit, it is absent; where one was lifted, it is
 * 2^53 - 1. Attributes have fixed sets of values, and none has an address.
 * A limiter that is garbage is let go; the next collection reports that nothing is open.
 *
 * @example A server with metrics
 * ```ts ignore
 * import { metrics } from "@opentelemetry/api";
 * import { observeLimiter } from "@connlimit/connlimit/otel";
 *
 * observeLimiter(listener.limiter, metrics.getMeter("chat"), { name: "chat" });
 * ```
 *
 * @returns What ends it: the next collection reports that nothing is open, and later ones nothing. Observing another limiter
 * of the same name by the same meter ends it at once.
 * @throws {TypeError} If `limiter` is not a limiter, `meter` not a meter, for an unknown option, or for a value of the wrong
 * type.
 */
export function observeLimiter(
  limiter: ObservedLimiter,
  meter: MeterLike,
  options: ObserveLimiterOptions = {},
): DisposableLike {
  if (typeof (limiter as Partial<ObservedLimiter> | null)?.stats !== "function") {
    throw typeError("limiter", "a limiter", limiter);
  }
  if (typeof (meter as Partial<MeterLike> | null)?.addBatchObservableCallback !== "function") {
    throw typeError("meter", "a meter of @opentelemetry/api", meter);
  }
  const { name, attributes } = checkOtelOptions(options);

  let observed = observedBy.get(meter);
  if (observed === undefined) {
    observedBy.set(meter, observed = { instruments: createInstruments(meter), removals: new Map() });
  }
  const { instruments, removals } = observed;
  removals.get(name)?.();

  const all = [...instruments.values()] as never;
  const shared = { ...attributes, "connlimit.limiter.name": name };
  const limited = new Set<string>();
  let weak: WeakRef<ObservedLimiter> | undefined = new WeakRef(limiter);
  const callback = (result: BatchResultLike) => {
    const limiter = weak?.deref();
    if (limiter !== undefined) return observe(limiter, result, instruments, shared, limited);
    // A meter may repeat the last values for ever.
    for (const name of EMPTIED) result.observe(instruments.get(name) as never, 0, shared);
    remove();
  };
  const remove = () => {
    meter.removeBatchObservableCallback(callback, all);
    if (removals.get(name) === remove) removals.delete(name);
  };
  removals.set(name, remove);
  meter.addBatchObservableCallback(callback, all);
  return {
    [Symbol.dispose]() {
      weak = undefined;
    },
  };
}

function observe(
  limiter: ObservedLimiter,
  result: BatchResultLike,
  instruments: Created,
  shared: AttributesLike,
  limited: Set<string>,
): void {
  const stats = limiter.stats();
  const { limits } = limiter;
  for (const [name, instrument] of instruments) {
    for (const [value, attributes] of INSTRUMENTS[name]!.measure(stats, limits, limited)) {
      result.observe(instrument as never, value, { ...shared, ...attributes });
    }
  }
}

function checkOtelOptions(options: ObserveLimiterOptions): Required<ObserveLimiterOptions> {
  const given: unknown = options;
  checkOptions("options", "option", given, ["name", "attributes"]);
  const { name = "default", attributes = {} } = options;
  if (typeof name !== "string" || name === "") throw typeError("name", "a string that is not empty", name);
  const values: unknown = attributes;
  checkPlainObject("attributes", values);
  for (const [key, value] of Object.entries(values)) {
    if (!["string", "number", "boolean"].includes(typeof value)) {
      throw typeError(`attributes[${formatValue(key)}]`, "a string, a number or a boolean", value);
    }
  }
  return { name, attributes: { ...attributes } };
}
