/**
 * What can go wrong between limiters and their store: how far over the limit each may bring them, and how long until they
 * agree again.
 *
 * @module
 */

import type { Failure } from "./failure.ts";
import { NETWORK_FAILURES } from "./network_failures.ts";
import { REPLY_FAILURES } from "./reply_failures.ts";
import { STORE_FAILURES } from "./store_failures.ts";

/** Every row of the table. */
export const FAILURES: readonly Failure[] = [...STORE_FAILURES, ...NETWORK_FAILURES, ...REPLY_FAILURES];
