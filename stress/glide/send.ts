/**
 * Sends a script that Redis knows and one that it does not, and prints the replies.
 *
 * @module
 */

import process from "node:process";
import { GlideClient } from "@valkey/valkey-glide";

const addresses = [{ host: "127.0.0.1", port: Number(process.argv[2]) }];
const client = await GlideClient.createClient({ addresses, requestTimeout: 1_000 });
const send = (args: readonly string[]) => client.customCommand([...args]);

const SCRIPT = "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) return {1, 'two', {3, {'four'}}, redis.call('TTL', KEYS[1])}";
const reply = await send(["EVAL", SCRIPT, "1", "key", "field", "value"]);
const refusal = await send(["EVALSHA", "f".repeat(40), "1", "key"]).then(String, String);
console.log(JSON.stringify([reply, /NOSCRIPT|NoScript/i.test(refusal) ? "no such script" : refusal]));
client.close();
process.exit();
