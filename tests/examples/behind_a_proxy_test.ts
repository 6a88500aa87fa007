/**
 * The advice on Node servers behind a proxy, attacked: whatever clients do, no slot is left and no listener.
 *
 * @module
 */

import { once } from "node:events";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { printed } from "../support/documentation.ts";
import { type Client, connectFrom, eventually, reply, within } from "../support/net.ts";
import { withPackages } from "../support/with_packages.ts";

const [nodeServer, expressServer] = printed("Node servers", "docs/behind-a-proxy.md");

/** What the printed programs lack: something asynchronous before the handler, paths to attack, and a look inside. */
const INSIDE = `
  const waiting = new Set();
  const stats = { entered: 0, passed: 0, warnings: 0 };
  // Of the proxy's own requests, which look inside.
  let asked = 0;
  process.on("warning", () => stats.warnings++);
  const wait = () => new Promise((resolve) => waiting.add(resolve));
  async function before({ url, socket }, response) {
    if (url === "/stats") {
      asked++;
      const [open, admitted] = [limiter.openFor("192.0.2.7"), limiter.stats().admitted - asked];
      response.end(JSON.stringify({ ...stats, open, admitted, listeners: socket.listenerCount("close") }));
      return true;
    }
    if (url === "/go") {
      asked++;
      for (const resolve of waiting) resolve();
      waiting.clear();
      response.end("gone");
      return true;
    }
    stats.entered++;
    if (url.includes("/answered")) response.end("at once");
    if (url.startsWith("/session")) await wait();
    stats.passed++;
    return false;
  }
  function work({ url }, response, end) {
    if (url.endsWith("/work")) return void wait().then(end);
    if (url.endsWith("/never")) return;
    if (url === "/half") return void response.write("half");
    if (url === "/gone") return void response.destroy();
    end();
  }
`;

/** The programs as they are printed, with that around and in their handlers. */
const PROGRAMS = {
  "The documentation's server of node:http": `
    ${
    withLimiter(nodeServer!).replace(
      'response.end("hello\\n")',
      'work(_request, response, () => response.end("hello\\n"))',
    )
  }
    ${INSIDE}
    const [handler] = server.listeners("request");
    server.removeAllListeners("request");
    server.on("request", async (request, response) => await before(request, response) || handler(request, response));
  `,
  "The documentation's application of Express": withLimiter(expressServer!)
    .replace(
      "app.get(",
      `${INSIDE}
      app.set("env", "test"); // prints no errors
      app.use(async (request, response, next) => await before(request, response) || next());
      app.get(`,
    )
    .replace('response.send("hello\\n")', 'work(_request, response, () => response.send("hello\\n"))')
    .replace('app.get("/",', 'app.all("/throw", () => { throw new Error("on purpose"); });\n app.all(/./,'),
};

/** The limits come before all handlers, and their limiter is looked at. */
function withLimiter(program: string): string {
  return `let limiter; ${
    program.replace(/^limitServerRequests\(/m, "({ limiter } = limitServerRequests(")
      .replace(/^\}\);$/m, "}));")
  }`;
}

interface Stats {
  /** Requests that have come, and those that have reached the handler. */
  readonly entered: number;
  readonly passed: number;
  readonly admitted: number;
  readonly open: number;
  /** The listeners for the end of the connection that asks. */
  readonly listeners: number;
  readonly warnings: number;
}

/** A request that the proxy passes on. */
const request = (path: string, method = "GET", ...fields: string[]) =>
  [`${method} ${path} HTTP/1.1`, "Host: localhost", "X-Forwarded-For: 192.0.2.7", ...fields, "", ""].join("\r\n");

class Attacked {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends the same by each of some connections. */
  async send(count: number, text: string): Promise<Client[]> {
    return await Promise.all(Array.from({ length: count }, async () => {
      const client = await connectFrom("127.0.0.1", this.#port);
      client.socket.resume();
      client.socket.write(text);
      return client;
    }));
  }

  async ask(path: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.#port}${path}`, {
      headers: { "x-forwarded-for": "192.0.2.8", "connection": "close" },
    });
    return await response.text();
  }

  async stats(): Promise<Stats> {
    return JSON.parse(await this.ask("/stats"));
  }

  /** Lets everything go on that waits. */
  async go(): Promise<void> {
    assertStrictEquals(await this.ask("/go"), "gone");
  }

  async until(condition: (stats: Stats) => boolean, what: string): Promise<void> {
    await eventually(async () => condition(await this.stats()), what);
  }

  free(): Promise<void> {
    return this.until(({ open }) => open === 0, "every slot to be free");
  }
}

/** The attacks. After each, every slot is to be free. */
const ATTACKS: Readonly<Record<string, (attacked: Attacked) => Promise<void>>> = {
  async "leaving while something asynchronous stands before the handler"(attacked) {
    for (const leave of ["fin", "reset"] as const) {
      for (const path of ["/session", "/session/never", "/session/work"]) {
        const { entered, passed } = await attacked.stats();
        const clients = await attacked.send(5, request(path));
        await attacked.until((now) => now.entered === entered + 5, "five to wait");
        for (const client of clients) client[leave]();
        await attacked.go();
        await attacked.until((now) => now.passed === passed + 5, "five to go on");
        await attacked.free();
      }
    }
  },

  async "an answer before the handler"(attacked) {
    const { passed } = await attacked.stats();
    const clients = await attacked.send(5, request("/session/answered/never"));
    const answered = clients.map((client) => within(once(client.socket, "data"), "an answer"));
    await Promise.all(answered);
    await attacked.go();
    await attacked.until((now) => now.passed === passed + 5, "five to go on");
    await attacked.free();
    for (const client of clients) client[Symbol.dispose]();
  },

  async "requests that wait behind one at work, and a reset"(attacked) {
    const { admitted } = await attacked.stats();
    const [client] = await attacked.send(1, request("/work") + request("/").repeat(19));
    await attacked.until((now) => now.admitted === admitted + 20, "twenty to be admitted");
    client!.reset();
    await attacked.free();
    await attacked.go();
  },

  async "leaving at work, with an answer or a body half sent"(attacked) {
    const half = request("/never", "POST", "Content-Length: 1000") + "half";
    for (const leave of ["fin", "reset"] as const) {
      for (const text of [request("/never"), request("/half"), half, half.replace("/never", "/half")]) {
        const { admitted } = await attacked.stats();
        const clients = await attacked.send(5, text);
        await attacked.until((now) => now.admitted === admitted + 5, "five to be admitted");
        for (const client of clients) client[leave]();
        await attacked.free();
      }
    }
  },

  async "requests that want something else"(attacked) {
    const { admitted } = await attacked.stats();
    const texts = [
      request("/", "HEAD"),
      request("/gone"),
      request("/throw"),
      request("/", "POST", "Content-Length: 2", "Expect: 100-continue") + "hi",
      request("/", "GET", "Connection: Upgrade", "Upgrade: websocket"),
      request("/", "GET", "Connection: close"),
    ];
    const clients = (await Promise.all(texts.map((text) => attacked.send(3, text)))).flat();
    // Deno ends an upgrade that nothing listens for without a request.
    await attacked.until((now) => now.admitted >= admitted + 15, "all to be admitted");
    await attacked.free();
    for (const client of clients) client[Symbol.dispose]();
  },

  async "a hundred requests on one connection"(attacked) {
    const [client] = await attacked.send(1, "");
    const listeners = async () => /"listeners":(\d+)/.exec(await reply(client!, request("/stats")))?.[1];
    await reply(client!, request("/"));
    const before = await listeners();
    assert(before !== undefined);
    for (let i = 0; i < 100; i++) assert((await reply(client!, request("/"))).startsWith("HTTP/1.1 200 "));
    assertStrictEquals(await listeners(), before);
    client![Symbol.dispose]();
  },

  async "more requests than a client may have"(attacked) {
    const { admitted } = await attacked.stats();
    const clients = await attacked.send(20, request("/work"));
    await attacked.until((now) => now.admitted === admitted + 20, "twenty to be at work");
    const [refused] = await attacked.send(1, "");
    assert((await reply(refused!, request("/"))).startsWith("HTTP/1.1 429 "));
    await attacked.go();
    await attacked.free();
    for (const client of [...clients, refused!]) client[Symbol.dispose]();
  },
};

for (const [name, program] of Object.entries(PROGRAMS)) {
  for (const runtime of ["Deno", "Bun", "Node"] as const) {
    Deno.test(`${name} behind a proxy keeps no slot, whatever clients do, on ${runtime}`, () =>
      withPackages(program.replaceAll("7000", "Number(process.argv[2])"), runtime, async ({ port }) => {
        const attacked = new Attacked(port);
        for (const [what, attack] of Object.entries(ATTACKS)) {
          try {
            await attack(attacked);
            await attacked.free();
          } catch (error) {
            throw new Error(`${what}: ${JSON.stringify(await attacked.stats())}`, { cause: error });
          }
        }
        assertEquals((await attacked.stats()).warnings, 0);
      }));
  }
}
