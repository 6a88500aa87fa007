/**
 * Metrics of a limiter for OpenTelemetry.
 *
 * {@linkcode observeLimiter} reports what a limiter counts by a meter of `@opentelemetry/api`: open connections, clients,
 * limits, admissions, refusals by reason. This module imports nothing of OpenTelemetry.
 *
 * ```ts ignore
 * import { metrics } from "@opentelemetry/api";
 * import { Limiter } from "@connlimit/connlimit";
 * import { observeLimiter } from "@connlimit/connlimit/otel";
 *
 * const limiter = new Limiter({ maxPerClient: 10 });
 * observeLimiter(limiter, metrics.getMeter("chat"), { name: "chat" });
 * ```
 *
 * @module
 */

export type { LimiterStats } from "../core/limiter_stats.ts";
export type { Limits } from "../core/limits.ts";
export type { AttributesLike, BatchResultLike, InstrumentOptionsLike, MeterLike } from "./meter_like.ts";
export { type ObservedLimiter, observeLimiter, type ObserveLimiterOptions } from "./observe_limiter.ts";
