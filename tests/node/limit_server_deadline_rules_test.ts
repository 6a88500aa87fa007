import { test } from "node:test";
import { CROWDS } from "../support/deadline_crowd.ts";
import { CLOSES, keeping, LEAVES, OTHERS } from "../support/deadline_rules.ts";
import { NODE_ADAPTERS } from "../support/node/deadline_adapters.ts";

test("limitServer() closes who is silent, idle or stuck", keeping(CLOSES, NODE_ADAPTERS));

test("limitServer() leaves open who is not", keeping(LEAVES, NODE_ADAPTERS));

test("limitServer() has deadlines that end with their connections", keeping(OTHERS, NODE_ADAPTERS));

test("limitServer() closes a crowd", keeping(CROWDS, NODE_ADAPTERS.slice(0, 1)));
