/**
 * The deadlines of limited listeners, on Deno and Bun.
 *
 * @module
 */

import { test } from "node:test";
import { listenerAdapters } from "../support/deadline_adapters.ts";
import { CLOSES, keeping, LEAVES, OTHERS } from "../support/deadline_rules.ts";

test("deadlines of limitedListener() close who is silent, idle or stuck", keeping(CLOSES, listenerAdapters));

test("deadlines of limitedListener() leave open who is not", keeping(LEAVES, listenerAdapters));

test("deadlines of limitedListener() end with their connections", keeping(OTHERS, listenerAdapters));
