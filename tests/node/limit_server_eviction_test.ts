/**
 * `whenFull: "evict"` of `limitServer()`.
 *
 * @module
 */

import { test } from "node:test";
import { keeping } from "../support/deadline_rules.ts";
import { CROWDS, EVICTS } from "../support/eviction_rules.ts";
import { NODE_ADAPTERS } from "../support/node/deadline_adapters.ts";

const named = NODE_ADAPTERS.filter(({ nameless }) => !nameless);

test('limitServer() with whenFull: "evict" closes connections in favour of others', keeping(EVICTS, named));

test('limitServer() with whenFull: "evict" lets hogs lock nobody out', keeping(CROWDS, named.slice(0, 1)));
