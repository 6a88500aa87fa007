import { test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { forwarded } from "@connlimit/connlimit/proxy";

const PROXY = "10.0.0.2";

/** The clients that are found for values of a header which a trusted proxy sends. */
function clients(header: string, values: readonly string[]): unknown[] {
  const clientOf = forwarded({ header, trusted: ["10.0.0.0/8", "2001:db8:ffff::/48"] });
  return values.map((value) => clientOf({ headers: { [header]: value } }, PROXY));
}

/** Checks the clients of values. */
function check(header: string, expected: Readonly<Record<string, string>>): void {
  assertEquals(clients(header, Object.keys(expected)), Object.values(expected));
}

test("X-Forwarded-For: a client cannot be another by what it puts to the left", () => {
  check("x-forwarded-for", {
    "198.51.100.1, 203.0.113.7": "203.0.113.7",
    "10.0.0.3, 203.0.113.7": "203.0.113.7",
    "203.0.113.8, 10.0.0.3, 203.0.113.7": "203.0.113.7",
    '", 203.0.113.7': "203.0.113.7",
    "\0, 203.0.113.7": "203.0.113.7",
    "unknown, 203.0.113.7": "203.0.113.7",
    ",,,, 203.0.113.7": "203.0.113.7",
  });
});

test("X-Forwarded-For: trusted hops are skipped, also in the middle", () => {
  check("x-forwarded-for", {
    "203.0.113.7, 10.0.0.3": "203.0.113.7",
    "203.0.113.7, 10.0.0.4, 10.0.0.3": "203.0.113.7",
    "203.0.113.7, 2001:db8:ffff::1, 10.0.0.3": "203.0.113.7",
    "203.0.113.7, ::ffff:10.0.0.3": "203.0.113.7",
    "203.0.113.8, 10.0.0.4, 203.0.113.7, 10.0.0.3": "203.0.113.7",
  });
});

test("X-Forwarded-For: if all are trusted, the leftmost is the client", () => {
  check("x-forwarded-for", { "10.0.0.5, 10.0.0.4, 10.0.0.3": "10.0.0.5", "10.0.0.5": "10.0.0.5" });
});

test("X-Forwarded-For: an entry that is no address ends the reading at the proxy before it", () => {
  const bad = [
    "unknown",
    "_hidden",
    "unix:",
    "localhost",
    "203.0.113.07",
    "203.0.113.256",
    "203.0.113",
    "0xcb007107",
    "3405803783",
    "[203.0.113.7]",
    "[2001:db8::7",
    "2001:db8::7]",
    "203.0.113.7:",
    "203.0.113.7:123456",
    "203.0.113.7:80:80",
    "[2001:db8::7]80",
    "203.0.113.7 203.0.113.8",
    '"203.0.113.7"',
    "for=203.0.113.7",
    "::ffff:203.0.113.07",
    "fe80::1%",
  ];
  for (const entry of bad) {
    assertEquals(clients("x-forwarded-for", [entry, `198.51.100.1, ${entry}`]), [PROXY, PROXY], entry);
    assertEquals(clients("x-forwarded-for", [`198.51.100.1, ${entry}, 10.0.0.3`]), ["10.0.0.3"], entry);
  }
});

test("X-Forwarded-For: ports and brackets are removed, and empty entries skipped", () => {
  check("x-forwarded-for", {
    "203.0.113.7:4711": "203.0.113.7",
    "[2001:db8::7]:4711": "2001:db8::7",
    "[2001:db8::7]": "2001:db8::7",
    "2001:DB8:0::7": "2001:db8::7",
    "[::ffff:203.0.113.7]:4711": "203.0.113.7",
    "::ffff:cb00:7107": "203.0.113.7",
    "203.0.113.7:_port": "203.0.113.7",
    "203.0.113.7:4711, 10.0.0.3:80": "203.0.113.7",
    "fe80::7%eth0": "fe80::7%eth0",
    "[fe80::7%eth0]:4711": "fe80::7%eth0",
    "2001:db8::7%eth0": "2001:db8::7",
    "203.0.113.7,": "203.0.113.7",
    "203.0.113.7, , ,\t,10.0.0.3,": "203.0.113.7",
    "\t203.0.113.7 \t": "203.0.113.7",
    ",": PROXY,
    "": PROXY,
    " ": PROXY,
  });
});

test("Forwarded: the last element is read, with quotes, brackets, ports and other parameters", () => {
  check("forwarded", {
    "for=203.0.113.7": "203.0.113.7",
    "For=203.0.113.7;Proto=https": "203.0.113.7",
    "by=10.0.0.2; FOR=203.0.113.7 ;proto=https": "203.0.113.7",
    'for="203.0.113.7:4711"': "203.0.113.7",
    'for="[2001:db8::7]:4711"': "2001:db8::7",
    'for="[2001:db8::7]"': "2001:db8::7",
    'for="[2001:db8::7]:_port"': "2001:db8::7",
    "for=203.0.113.7:4711": "203.0.113.7",
    "for=[2001:db8::7]": "2001:db8::7",
    'for="\\203.0.113.\\7"': "203.0.113.7",
    'by="a,b;for=198.51.100.1";for=203.0.113.7': "203.0.113.7",
    'for=203.0.113.7;by="\\",for=198.51.100.1"': "203.0.113.7",
    'for=203.0.113.7;by="\\\\"': "203.0.113.7",
    "for=198.51.100.1, for=203.0.113.7": "203.0.113.7",
    "for=203.0.113.7, for=10.0.0.3": "203.0.113.7",
    'for=203.0.113.8, for=10.0.0.4, for=203.0.113.7;by="x,y", for="10.0.0.3:80"': "203.0.113.7",
    "for=10.0.0.5, for=10.0.0.3": "10.0.0.5",
    "for=203.0.113.7,, ,for=10.0.0.3,": "203.0.113.7",
    ";;for=203.0.113.7;;": "203.0.113.7",
    'secret="";for=203.0.113.7': "203.0.113.7",
  });
});

test("Forwarded: a client cannot be another by what it puts to the left, whatever it quotes or escapes", () => {
  const left = [
    "for=198.51.100.1",
    'for="',
    'for="198.51.100.1',
    '"',
    '\\"',
    "\\",
    '"\\',
    'for="\\',
    ";",
    "for=",
    "=",
    "for=10.0.0.3",
    'for=198.51.100.1;by="',
    "[",
    "\0",
  ];
  for (const text of left) {
    const right = ["for=203.0.113.7", 'for="203.0.113.7:80"', 'for=203.0.113.7;by="\\",x"'];
    const values = right.map((element) => `${text}, ${element}`);
    assertEquals(clients("forwarded", values), right.map(() => "203.0.113.7"), text);
    assertEquals(clients("forwarded", [`${text},for=203.0.113.7,for=10.0.0.3`]), ["203.0.113.7"], text);
  }
});

test("Forwarded: an element without an address ends the reading at the proxy before it", () => {
  const bad = [
    "for=unknown",
    "for=_hidden",
    'for="_hidden:80"',
    "for=",
    'for=""',
    "by=203.0.113.7",
    "proto=https",
    "203.0.113.7",
    "for",
    "for=203.0.113.7;for=203.0.113.7",
    "for=203.0.113.7;FOR=203.0.113.8",
    "for=203.0.113.7;x",
    "for=203.0.113.7;=x",
    "for=203.0.113.7 x",
    "for= 203.0.113.7",
    "for =203.0.113.7",
    'for="203.0.113.7',
    'for=203.0.113.7"',
    'for="203.0.113.7"x',
    'for="203.0.113.7\\"',
    "for=203.0.113.7\\",
    "for='203.0.113.7'",
    "for=203.0.113.07",
  ];
  for (const element of bad) {
    assertEquals(clients("forwarded", [element]), [PROXY], element);
    assertEquals(clients("forwarded", [`for=198.51.100.1, ${element}, for=10.0.0.3`]), ["10.0.0.3"], element);
  }
});

test("no more than 32 entries are read, empty ones included", () => {
  const hops = (count: number) => ["203.0.113.7", ...Array(count - 1).fill("10.0.0.3")];
  assertEquals(clients("x-forwarded-for", [hops(32).join()]), ["203.0.113.7"]);
  assertEquals(clients("x-forwarded-for", [hops(33).join()]), ["10.0.0.3"]);
  assertEquals(clients("x-forwarded-for", [hops(10_000).join()]), ["10.0.0.3"]);
  assertEquals(clients("x-forwarded-for", [`203.0.113.7${",".repeat(31)}`]), ["203.0.113.7"]);
  assertEquals(clients("x-forwarded-for", [`203.0.113.7${",".repeat(32)}`]), [PROXY]);
  const elements = (count: number) => hops(count).map((hop) => `for=${hop}`).join();
  assertEquals(clients("forwarded", [elements(32)]), ["203.0.113.7"]);
  assertEquals(clients("forwarded", [elements(33)]), ["10.0.0.3"]);
});

/** Values of 64 KB at which a reader could take long, by where it would be wrong. */
function longValues(size: number): string[] {
  const all = (text: string) => text.repeat(Math.ceil(size / text.length));
  const parts = [
    ",",
    " ",
    "\t",
    "\\",
    '"',
    '\\"',
    ";",
    "=",
    "[",
    "1",
    "1:",
    ":",
    "10.0.0.3,",
    "for=10.0.0.3,",
    'a="",',
  ];
  const starts = ["for=", 'for="', "for=10.0.0.3;x=", 'for=10.0.0.3;x="', "[", "10.0.0.3:"];
  return [...parts, "for=10.0.0.3;"].flatMap((part) => ["", ...starts].map((start) => start + all(part)));
}

test("64 KB of a header take time in proportion to their length, whatever they are", () => {
  for (const header of ["x-forwarded-for", "forwarded"]) {
    for (const value of longValues(65_536)) {
      for (const end of ["", '"', "]", ":1", ", 10.0.0.3", ", for=10.0.0.3"]) {
        // It takes half a millisecond, unless the machine is busy. If it were quadratic, it would take seconds each time.
        const took = [1, 2, 3].map(() => {
          const start = performance.now();
          const [client] = clients(header, [value + end]);
          assert(client === PROXY || client === "10.0.0.3");
          return performance.now() - start;
        });
        assert(Math.min(...took) < 200, `${took} ms for ${value.slice(0, 32)}…${end}`);
      }
    }
  }
});

test("64 KB to the left of the client cost nothing", () => {
  for (const value of longValues(65_536)) {
    assertStrictEquals(clients("x-forwarded-for", [`${value}, 203.0.113.7`])[0], "203.0.113.7");
    assertStrictEquals(clients("forwarded", [`${value}, for=203.0.113.7`])[0], "203.0.113.7");
  }
});
