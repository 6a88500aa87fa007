/**
 * One limit for the workers and child processes of one machine, without a server.
 *
 * The thread that starts the workers keeps the counts: a {@linkcode MemoryStore}, which it serves to each of them. Each worker
 * has a {@linkcode StoreLimiter} over a {@linkcode ChannelStore}, and gives it to whatever takes a `Limiter`. A client may then
 * have ten connections in all, however many workers it meets.
 *
 * @example The thread that starts the workers
 * ```ts ignore
 * import { MemoryStore } from "@connlimit/connlimit/shared";
 *
 * const store = new MemoryStore();
 * for (let i = 0; i < 4; i++) {
 *   const worker = new Worker(new URL("worker.ts", import.meta.url), { type: "module" });
 *   store.serve(worker);
 * }
 * ```
 *
 * @example A worker
 * ```ts ignore
 * import { limitedListener } from "@connlimit/connlimit";
 * import { ChannelStore, StoreLimiter } from "@connlimit/connlimit/shared";
 *
 * const limiter = new StoreLimiter({ maxPerClient: 10 }, new ChannelStore());
 * for await (const conn of limitedListener(Deno.listen({ port: 7000, reusePort: true }), limiter)) {
 *   echo(conn);
 * }
 * ```
 *
 * @module
 */

export type { ChannelLike } from "./channel.ts";
export { ChannelStore, type ChannelStoreOptions } from "./channel_store.ts";
export { MemoryStore, type MemoryStoreOptions } from "./memory_store.ts";
export type { ExplainedLevel, ExplainedRule, Explanation, FoundBy } from "../core/explanation.ts";
export type { SharingLimitOptions } from "./options.ts";
export type { SharedExplainedLevel, SharedExplanation } from "./shared_explanation.ts";
export type { CountReply, CountRequest, LifeSign, RegisteredSign, SharedStore, StoreEntry } from "./store.ts";
export type { StoreStatus } from "./store_health.ts";
export { type SharedStats, StoreLimiter } from "./store_limiter.ts";
