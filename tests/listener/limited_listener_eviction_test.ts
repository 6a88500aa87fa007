/**
 * `whenFull: "evict"` of limited listeners on Deno and Bun, and of limited handlers on Bun.
 *
 * @module
 */

import { test } from "node:test";
import { ADAPTERS } from "../support/deadline_adapters.ts";
import { keeping } from "../support/deadline_rules.ts";
import { CROWDS, EVICTS } from "../support/eviction_rules.ts";

const named = ADAPTERS.filter(({ nameless }) => !nameless);

test('whenFull: "evict" closes connections in favour of others', keeping(EVICTS, named));

test(
  'whenFull: "evict" lets hogs lock nobody out',
  keeping(CROWDS, named.filter(({ name }) => /^(handlers, )?TCP$/.test(name))),
);
