/**
 * The table of `docs/options.md`: it has every option that the declarations have, and no other, with their types, their
 * defaults, and the ranges that are enforced.
 *
 * @module
 */

import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { limitedListener, Limiter, logRefusals, watchRefusals } from "@connlimit/connlimit";
import { dashboard } from "@connlimit/connlimit/dashboard";
import { limitSocketHandler } from "@connlimit/connlimit/bun";
import { limitRequests } from "@connlimit/connlimit/http";
import { limitServer, limitServerRequests, tooManyConnections } from "@connlimit/connlimit/node";
import { proxyProtocol } from "@connlimit/connlimit/proxy";
import { MemoryStore, StoreLimiter } from "@connlimit/connlimit/shared";
import { SharedLimiter } from "@connlimit/connlimit/redis";
import { texts } from "../support/documentation.ts";
import { declaredOptions } from "../support/declared_options.ts";

interface Row {
  readonly option: string;
  readonly where: string;
  readonly type: string;
  readonly range: string;
  readonly default: string;
}

/** The rows of the table, one for each place of an option. */
const rows: Row[] = [...texts.get("docs/options.md")!.matchAll(/^\| `(\w+)` .*\|$/gm)].flatMap(([line]) => {
  const [option, where, type, range, default_] = line.slice(1, -1).split(" | ").map((cell) => cell.trim());
  const places = where!.split(", ");
  return places.map((where) => ({
    option: option!.replaceAll("`", ""),
    where: where.replaceAll("`", ""),
    type: type!,
    range: range!,
    default: default_!,
  }));
});

const nameOf = ({ option, where }: { option: string; where: string }) => `${where}: ${option}`;
const declared = await declaredOptions();

Deno.test("docs/options.md has every option of every function, and no other", () => {
  assert(rows.length > 100, `${rows.length} rows`);
  assertEquals(rows.map(nameOf).sort(), [...declared.keys()].sort());
});

Deno.test("docs/options.md has the types of the declarations", () => {
  for (const row of rows) {
    const types = [...row.type.matchAll(/`([^`]+)`/g)].map(([, type]) => type!);
    assertEquals(types.sort(), [...declared.get(nameOf(row))!.types].sort(), nameOf(row));
  }
});

Deno.test("docs/options.md has the defaults of the declarations", () => {
  for (const row of rows) {
    const { required, defaults: [default_, ...others] } = declared.get(nameOf(row))!;
    assertStrictEquals(row.default.startsWith("required"), required, nameOf(row));
    assertEquals(others, [], nameOf(row));
    if (default_ !== undefined) assertStrictEquals(row.default.replace(/[`_]/g, ""), default_, nameOf(row));
    assert(row.default !== "", nameOf(row));
  }
});

Deno.test("docs/options.md has the defaults of a limiter", () => {
  const of = (where: string, option: string) => {
    const row = rows.find((row) => row.where === where && row.option === option)!;
    return row.default.replace(/[`_]/g, "");
  };
  const text = (value: unknown) => typeof value === "object" ? JSON.stringify(value) : `${value}`;
  for (const [option, value] of Object.entries(new Limiter().limits)) {
    assertStrictEquals(text(value), of("limits", option), option);
  }
  const { fairShare } = new Limiter({ maxTotal: 1, fairShare: true }).limits;
  assertEquals(fairShare, { share: Number(of("fairShare", "share")), floor: Number(of("fairShare", "floor")) });
});

/** What takes an option, by the place of the option. */
const TAKERS: Readonly<Record<string, (option: object) => unknown>> = {
  limits: (option) => new Limiter(option),
  aggregates: (option) => new Limiter({ ipv6Prefix: 128, aggregates: [{ ipv4Prefix: 24, max: 1, ...option }] }),
  networks: (option) => new Limiter({ networks: { "::/0": "max" in option ? { exempt: true, ...option } : option } }),
  rate: (option) => new Limiter({ rate: { perSecond: 1, ...option } }),
  fairShare: (option) => new Limiter({ maxTotal: 1, fairShare: option }),
  answer: (option) => limitServer(createServer(), {}, { answer: { send: "", ...option } }),
  "tooManyConnections()": (option) => tooManyConnections(option),
  "limitedListener()": (option) => listening(whenFull(option)),
  "shutdown()": async (option) => await (listening({})).shutdown(option),
  "limitSocketHandler()": (option) => limitSocketHandler({}, { data() {} }, whenFull(option)),
  "limitServer()": (option) => limitServer(createServer(), {}, whenFull(option)),
  "limitRequests()": (option) => limitRequests({}, () => new Response(), whenFull(option)),
  "limitServerRequests()": (option) => limitServerRequests(createHttpServer(), {}, whenFull(option)),
  "proxyProtocol()": (option) => proxyProtocol({ trusted: ["127.0.0.1"], ...option }),
  "logRefusals()": (option) => logRefusals(option),
  "watchRefusals()": (option) => watchRefusals(new Limiter(), option)[Symbol.dispose](),
  "dashboard()": (option) => dashboard({ chat: new Limiter() }, { authorize: "loopback", ...option })[Symbol.dispose](),
  StoreLimiter: (option) => new StoreLimiter({}, new MemoryStore(), slow(option)).close(),
  SharedLimiter: (option) =>
    new SharedLimiter({}, { send, name: "options", keyTtlMs: 86_400_000, ...slow(option) }).close(),
};
const send = () => Promise.reject(new Error("no store"));
/** The option, beside the one without which it has no effect. */
const whenFull = (option: object): object => ({
  ..."evictionsPerSecond" in option && { whenFull: "evict" },
  ...("maxWaiting" in option || "waitTimeout" in option) && { whenFull: "wait" },
  ...option,
});
const slow = (option: object) => ({ deadMs: 3_600_000, ...option });

function listening(options: object) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    return limitedListener(listener, {}, options);
  } finally {
    listener.close();
  }
}

/** The numbers that are in a range, and some that are not. */
function numbersOf(range: string): { inside: number[]; outside: number[] } | undefined {
  const number = (text: string) => Number(text.replaceAll(",", ""));
  const [, above, first, last] =
    /(above )?\b([\d,.]*\d)(?:,? (?:up )?to ([\d,.]*\d))?/.exec(range.replace(/`[^`]*`/g, "")) ?? [];
  if (first === undefined || /at most|at least/.test(range)) return undefined;
  const least = number(first);
  const inside = above ? [] : [least];
  const outside = [above ? least : least - 1, NaN];
  if (last !== undefined) inside.push(number(last)), outside.push(number(last) + 1);
  if (range.includes("whole number")) outside.push(least + 0.5);
  (range.includes("`Infinity`") ? inside : outside).push(Infinity);
  return { inside, outside };
}

Deno.test("The ranges of docs/options.md are those that are enforced", async () => {
  const tried = new Set<string>();
  for (const { option, where, type, range } of rows) {
    const numbers = type === "`number`" ? numbersOf(range) : undefined;
    if (numbers === undefined) continue;
    const name = `${where}: ${option}`;
    // Bun's `listen()` and Deno's `upgradeWebSocket()` leave it to the runtime.
    if (where === "listen()" || where === "upgradeWebSocket()") continue;
    const take = async (value: number) => void await TAKERS[where]!({ [option]: value });
    for (const value of numbers.inside) {
      await take(value).catch((cause) => {
        throw new Error(`${name}: ${value} is in its range`, { cause });
      });
    }
    for (const value of numbers.outside) {
      await assertRejects(() => take(value), RangeError, undefined, `${name}: ${value}`);
    }
    tried.add(name);
  }
  assert(tried.size > 40, `only ${tried.size} ranges`);
});
