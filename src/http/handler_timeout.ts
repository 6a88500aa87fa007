/**
 * How long a handler may take where the runtime does not say whether its client is still there.
 *
 * @module
 */

/**
 * The time after which a slot is released although the handler has not settled, where Deno may not report that the client
 * has left. Without an end, clients could take slots, leave, and so lock others of their address out. After two minutes,
 * few handlers still work for clients that are there.
 */
export const HANDLER_TIMEOUT_MS = 120_000;
