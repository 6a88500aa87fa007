/**
 * A server that is given its Unix socket by descriptor, and its clients: it fails where they are not limited as one.
 *
 * @module
 */

import type * as net from "node:net";
import process from "node:process";
import { assertEquals } from "@std/assert";
import { limitServer } from "@connlimit/connlimit/node";
import { connectToPath, ended, eventually } from "../net.ts";
import { KINDS } from "./server_kinds.ts";

const [path, name] = process.argv.slice(2);
const { create, ask } = KINDS[name!]!;
const server = create() as net.Server;
const { limiter } = limitServer(server, { maxPerClient: 1 });
await new Promise<void>((resolve) => server.listen({ fd: 3 }, resolve));
using one = await connectToPath(path!);
await ask(one, "answer");
using two = await connectToPath(path!);
await ended(two);
assertEquals([limiter.openFor("unix"), limiter.stats().refusedBy.client, limiter.stats().refused], [1, 1, 1]);
one.fin();
await eventually(() => limiter.open === 0, "the slot to be free");
process.exit(0);
