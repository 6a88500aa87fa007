/**
 * What `server_bun.ts` does: in a file of its own, since that one can be checked only with Bun's types.
 *
 * @module
 */

/** What a server does with its connections: closes them, refuses them, or sends back what comes. */
export type BunMode = "bare" | "admit" | "refuse" | "refuse in loop" | "echo raw" | "echo streams";
