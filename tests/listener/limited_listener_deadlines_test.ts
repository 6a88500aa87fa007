/**
 * The deadlines of limited listeners on Deno and Bun, and of limited handlers on Bun.
 *
 * @module
 */

import { test } from "node:test";
import { ADAPTERS } from "../support/deadline_adapters.ts";
import { CROWDS } from "../support/deadline_crowd.ts";
import { CLOSES, keeping, LEAVES, OTHERS } from "../support/deadline_rules.ts";

test("deadlines close who is silent, idle or stuck", keeping(CLOSES, ADAPTERS));

test("deadlines leave open who is not", keeping(LEAVES, ADAPTERS));

test("deadlines end with their connections", keeping(OTHERS, ADAPTERS));

test("deadlines close a crowd", keeping(CROWDS, ADAPTERS.slice(0, 1)));
