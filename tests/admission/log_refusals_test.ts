import { test } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Limiter, logRefusals, type LogRefusalsOptions, type Peer } from "@connlimit/connlimit";
import { eventually } from "../support/net.ts";
import { printed } from "../support/console.ts";

/** A log over lines in memory, outside of hooks. The period does not end by itself. */
function logged(options: LogRefusalsOptions = {}) {
  const lines: string[] = [];
  const log = logRefusals({ period: 2 ** 31 - 1, logger: { warn: (line) => lines.push(line as string) }, ...options });
  const refuse = (...peers: Peer[]) => peers.forEach((peer) => log({ reason: "client" }, peer));
  return { lines, log, refuse, [Symbol.dispose]: () => log[Symbol.dispose]() };
}

/** `n` addresses, each once. */
const crowd = (n: number, net = 0) => Array.from({ length: n }, (_, i) => `10.${net}.${i >> 8}.${i & 255}`);

test("logRefusals() writes the first of a client at once, then sums up the rest", () => {
  using it = logged({ lines: 2 });
  it.refuse("203.0.113.9", "203.0.113.9", "198.51.100.1", ...crowd(309), ...crowd(309));
  for (let i = 0; i < 410; i++) it.refuse("203.0.113.9");
  it.log({ reason: "total" }, "203.0.113.9");
  assertEquals(it.lines.splice(0), [
    "connlimit: refused 203.0.113.9 (client)",
    "connlimit: refused 198.51.100.1 (client)",
  ]);
  it.log.flush();
  assertEquals(it.lines.splice(0), [
    "connlimit: refused 1,030 more from 310 clients in 1 s, most from 203.0.113.9: 412",
  ]);
  it.log.flush();
  assertEquals(it.lines, []);
});

test("logRefusals() begins anew after each period: the client has a line again", async () => {
  using it = logged({ period: 20, name: "chat" });
  it.refuse("192.0.2.7", "192.0.2.7");
  await eventually(() => it.lines.length === 2, "the end of the period");
  it.refuse("192.0.2.7");
  assertEquals(it.lines, [
    "connlimit chat: refused 192.0.2.7 (client)",
    "connlimit chat: refused 1 more from 1 client in 1 s, most from 192.0.2.7: 1",
    "connlimit chat: refused 192.0.2.7 (client)",
  ]);
});

test("logRefusals() writes at most lines + 1 lines a period, whoever is refused", () => {
  for (const lines of [0, 1, 10]) {
    using it = logged({ lines });
    for (let round = 0; round < 3; round++) it.refuse(...crowd(5_000, round), "192.0.2.7", { key: "k" }, "nonsense");
    it.log.flush();
    assertEquals(it.lines.length, lines + 1);
    assert(/refused 1[45],\d{3} more from more than 1,000 clients in 1 s, most from \S+: \d+$/.test(it.lines.at(-1)!));
  }
});

test("logRefusals() takes the addresses of an IPv6 /64 for one client", () => {
  using it = logged();
  it.refuse("2001:db8::1", "2001:db8::2", "::ffff:192.0.2.7", "192.0.2.7");
  assertEquals(it.lines, ["connlimit: refused 2001:db8::/64 (client)", "connlimit: refused 192.0.2.7 (client)"]);
});

test("logRefusals() masks addresses, or leaves them out, with the keys", () => {
  const peers: Peer[] = ["203.0.113.9", "2001:db8:1:2::3", { key: "alice" }, { remoteAddr: { transport: "unix" } }];
  const texts = (address: "full" | "network" | "none") => {
    using it = logged({ address });
    it.refuse(...peers);
    return it.lines.map((line) => line.replace(/^connlimit: refused (.*) \(client\)$/, "$1"));
  };
  assertEquals(texts("full"), ["203.0.113.9", "2001:db8:1:2::/64", 'key "alice"', "unix"]);
  assertEquals(texts("network"), ["203.0.113.0/24", "2001:db8:1::/48", "a client", "unix"]);
  assertEquals(texts("none"), ["a client", "a client", "a client", "a client"]);
  using it = logged({ address: "none", lines: 0 });
  it.refuse(...peers, "203.0.113.9");
  it.log.flush();
  assertEquals(it.lines, ["connlimit: refused 5 more from 4 clients in 1 s, most from one: 2"]);
});

test("logRefusals() writes one object a line with format json, and what a function returns", () => {
  using it = logged({ format: "json", lines: 1, name: "chat" });
  it.refuse("192.0.2.7", "192.0.2.8", "nonsense");
  it.log.flush();
  assertEquals(it.lines.map((line) => JSON.parse(line)), [
    { event: "refused", name: "chat", client: "192.0.2.7", reason: "client" },
    {
      event: "refused more",
      name: "chat",
      refused: 2,
      clients: 2,
      moreClients: false,
      most: { client: "192.0.2.8", refused: 1 },
      refusedBy: { client: 2 },
      seconds: 1,
    },
  ]);
  using other = logged({ format: ({ event, ...rest }) => [event, Object.keys(rest)] });
  other.refuse("192.0.2.7");
  assertEquals(other.lines as unknown, [["refused", ["client", "reason"]]]);
});

const HOSTILE = {
  "a line of its own": "x (client)\nconnlimit: refused 192.0.2.1 (total)",
  "the rest of the line": 'x" (total)',
  "controls of the terminal": "\u001b[2J\u001b]0;owned\u0007\r\b\u009b1m\u007f",
  "other line ends": "a\u2028b\u2029c\u0085d\u000be\u000cf",
  "text that reorders or hides text": "a\u202eb\u2066c\u200bd\ufeffe\u00adf\u{e0041}",
  "halves of characters": "\ud800 \udfff",
  "markup": "<script>alert(1)</script>",
  "10 kB": "\n".repeat(10_000),
};

for (const [what, key] of Object.entries(HOSTILE)) {
  test(`logRefusals() keeps to one line for a key with ${what}`, () => {
    for (const format of ["text", "json"] as const) {
      using it = logged({ format, name: key });
      it.refuse({ key }, { key });
      it.log.flush();
      assertEquals(it.lines.length, 2);
      for (const line of it.lines) {
        assert(line.length < 1_200, `${line.length} characters`);
        assert(/^[\x20-\x7e…]*$/.test(line), line);
      }
      if (format === "text") assert(/^connlimit .*: refused key "(?:[^"\\]|\\.)*…?" \(client\)$/.test(it.lines[0]!));
      else assertEquals(JSON.parse(it.lines[0]!).reason, "client");
    }
  });
}

test("logRefusals() keeps clients apart whose keys are alike once escaped", () => {
  using it = logged();
  it.refuse({ key: "a\n" }, { key: "a\\u000a" }, { key: "192.0.2.7" }, "192.0.2.7", { key: "unix" });
  assertEquals(new Set(it.lines).size, 5);
});

test("logRefusals() escapes the zone of an address", () => {
  using it = logged();
  it.refuse('fe80::1%\u001b"\u200b');
  assertEquals(it.lines, ['connlimit: refused fe80::%\\u001b\\"\\u200b/64 (client)']);
});

test("logRefusals() writes what is left when it is disposed of, and then nothing", () => {
  const it = logged({ lines: 0 });
  it.refuse("192.0.2.7");
  it[Symbol.dispose]();
  assertEquals(it.lines.length, 1);
  it.refuse("192.0.2.7");
  it[Symbol.dispose]();
  it.log.flush();
  assertEquals(it.lines.length, 1);
});

test("logRefusals() tells once of a logger that fails, and the process goes on", async () => {
  const calls = await printed(async () => {
    let failed = 0;
    const warn = () => {
      failed++;
      throw new Error("disk full");
    };
    using it = logged({ logger: { warn }, lines: 0, period: 5 });
    for (let at = 1; at <= 3; at++) {
      it.refuse("192.0.2.7");
      await eventually(() => failed === at, "the end of a period");
    }
    it.log.flush();
  });
  assertEquals(calls.length, 1);
});

test("logRefusals() writes to console.warn by default", () => {
  const { warn } = console;
  const lines: unknown[][] = [];
  console.warn = (...line) => void lines.push(line);
  try {
    using log = logRefusals();
    log({ reason: "client" }, "192.0.2.7");
  } finally {
    console.warn = warn;
  }
  assertEquals(lines, [["connlimit: refused 192.0.2.7 (client)"]]);
});

test("logRefusals() names the option and the value that it does not take", () => {
  const wrong = (options: object, message: string) => assertThrows(() => logRefusals(options), Error, message);
  wrong({ logger: {} }, "logger must be an object with a method warn, got an object");
  wrong({ name: 7 }, "name must be a string, got 7");
  wrong({ period: 0 }, "period must be at least 1 millisecond, got 0");
  wrong({ lines: 1_001 }, "lines must be a whole number from 0 to 1000, got 1001");
  wrong({ address: "half" }, 'address must be "full", "network" or "none", got "half"');
  wrong({ format: "xml" }, 'format must be "text", "json" or a function, got "xml"');
  wrong({ lime: 1 }, 'unknown option "lime"; known are logger, name, period, lines, address, format');
});

test("logRefusals() takes a client for what the limiter does in an accept loop of one's own", () => {
  using it = logged();
  const limiter = new Limiter({ maxPerClient: 0 });
  const admission = limiter.tryAccept("192.0.2.7");
  if (!admission.admitted) it.log(admission, "192.0.2.7");
  assertEquals(it.lines, ["connlimit: refused 192.0.2.7 (client)"]);
});
