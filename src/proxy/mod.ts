/**
 * Finds the clients behind proxies. For Deno, Bun and Node.
 *
 * @module
 */

export { PRIVATE_NETWORKS } from "./private_networks.ts";
