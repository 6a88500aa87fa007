/**
 * What holds of servers behind real proxies, on every adapter and runtime.
 *
 * @module
 */

import { connect as connectTls } from "node:tls";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Limiter } from "@connlimit/connlimit";
import { type ProxyInfo, proxyProtocol } from "@connlimit/connlimit/proxy";
import { Folder } from "../folder.ts";
import { certificate, connected, connectFrom, eventually } from "../net.ts";
import { type Lack, oneAddress } from "../platform.ts";
import { noHaproxy, noNginxStream, RunningProxy } from "../real_proxies.ts";
import { bytes } from "./headers.ts";
import { type Adapter, Visitor } from "./proxied.ts";
import { manyBytes } from "./proxied_trial.ts";

const CLIENTS = ["127.0.0.2", "127.0.0.3"] as const;

/** How a proxy is made to send the header. */
interface Kind {
  readonly name: string;
  readonly lack: Lack;
  /** @param server Where the server listens, in the proxy's words. */
  start(server: string, adapter: Adapter): Promise<RunningProxy>;
  /** Whether clients speak TLS with the proxy. */
  readonly tls?: boolean;
  /** Checks what the proxy has said. */
  check?(info: ProxyInfo): void;
  /** Whether the proxy makes connections by itself. */
  readonly healthChecks?: boolean;
  /** Whether it speaks with the server over a Unix socket. */
  readonly unix?: boolean;
}

const DEFAULTS = `
  defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
  `;

function haproxy(name: string, server: string, more: Partial<Kind> & { bind?: string; frontend?: string } = {}): Kind {
  const { bind = "", frontend = "", ...kind } = more;
  return {
    name: `HAProxy, ${name}`,
    lack: noHaproxy,
    start: (target, { http }) =>
      RunningProxy.haproxy(`${DEFAULTS}
  listen proxy
    bind 127.0.0.1:{port} ${bind}
    ${frontend}
    ${kind.healthChecks ? http ? "option httpchk" : CHECK : ""}
    server s ${target} ${server}
`),
    ...kind,
  };
}

/** A health check that wants an echo. */
const CHECK = `
    option tcp-check
    tcp-check connect send-proxy
    tcp-check send hello
    tcp-check expect string hello`;

const TLS_OPTIONS = "ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c,unique-id";

const KINDS: readonly Kind[] = [
  haproxy("send-proxy", "send-proxy", { check: ({ version }) => assertStrictEquals(version, 1) }),
  haproxy("send-proxy-v2", "send-proxy-v2", {
    check: ({ version, tlvs }) => assertEquals([version, [...tlvs].length], [2, 0]),
  }),
  haproxy("send-proxy-v2 with crc32c and unique-id", "send-proxy-v2 proxy-v2-options crc32c,unique-id", {
    frontend: "unique-id-format id-%ci-%cp",
    check({ tlvs, source }) {
      assertStrictEquals(tlvs.get(0x03)?.length, 4);
      assertEquals(tlvs.uniqueId, bytes(`id-${source!.address}-${source!.port}`));
    },
  }),
  haproxy("send-proxy-v2-ssl-cn", `send-proxy-v2-ssl-cn proxy-v2-options ${TLS_OPTIONS}`, {
    bind: "ssl crt {folder}/server.pem verify optional ca-file {folder}/ca.pem crt-ignore-err all ca-ignore-err all",
    frontend: "unique-id-format %ci",
    tls: true,
    check({ tlvs }) {
      const { ssl, authority } = tlvs;
      assertEquals([ssl?.tls, ssl?.certificate, ssl?.commonName, authority], [true, true, "localhost", "localhost"]);
      assert(/^TLSv1\.[23]$/.test(ssl?.version ?? "") && ssl?.cipher && ssl.signatureAlgorithm && ssl.keyAlgorithm);
      assertStrictEquals(tlvs.get(0x03)?.length, 4);
    },
  }),
  haproxy("send-proxy-v2 to a Unix socket", "send-proxy-v2", { unix: true }),
  haproxy("health checks", "send-proxy-v2 check check-send-proxy inter 100ms rise 1 fall 100", { healthChecks: true }),
  {
    name: "nginx, stream",
    lack: noNginxStream,
    start: (target) =>
      RunningProxy.nginx(
        `stream { server { listen 127.0.0.1:{port}; proxy_pass ${target}; proxy_protocol on; } }`,
      ),
    check: ({ version }) => assertStrictEquals(version, 1),
  },
];

/** Connects to a proxy from an address. */
async function visit(port: number, from: string, { http = false }: Adapter, { tls }: Kind): Promise<Visitor> {
  const client = await connectFrom(from, port);
  if (!tls) return new Visitor(client, { http });
  const options = { rejectUnauthorized: false, servername: "localhost", ...certificate() };
  return new Visitor(await connected(connectTls({ socket: client.socket, ...options }), "secureConnect"), { http });
}

async function serves(adapter: Adapter, kind: Kind): Promise<void> {
  const limiter = new Limiter({ maxPerClient: 2 });
  const errors: unknown[] = [];
  const refused: string[] = [];
  const hooks = {
    onRefused({ reason }: { reason: string }) {
      // Bun knows no address of what is reset before it is accepted, as is what the look for the proxy leads to.
      if (reason !== "unknown-address") refused.push(reason);
    },
    onError(error: unknown) {
      // As above, on Deno.
      if ((error as Error).name !== "NotConnected") errors.push(error);
    },
  };
  using folder = new Folder();
  const [peer, where] = kind.unix ? ["unix", { path: folder.file() }] : ["127.0.0.1", {}];
  const client = proxyProtocol({ trusted: [peer] });
  await using server = await adapter.serve({ limiter, hooks: hooks as never, client, ...where });
  await using proxy = await kind.start(kind.unix ? `unix@${folder.file()}` : `127.0.0.1:${server.port}`, adapter);
  const [one, other] = CLIENTS;
  const visitors: Visitor[] = [];
  const echoed = async (from: string, words: Uint8Array) => {
    const visitor = await visit(proxy.port, from, adapter, kind);
    visitors.push(visitor);
    const echo = await visitor.echo(words);
    return echo !== undefined && echo.length === words.length && echo.every((byte, at) => byte === words[at]);
  };
  if (kind.healthChecks) {
    await eventually(() => limiter.stats().admitted >= 5, "health checks");
  }
  await eventually(() => limiter.openFor("127.0.0.9") === 0, "the client that has looked for the proxy to be gone");
  assertEquals([await echoed(one, bytes("hello")), await echoed(one, manyBytes(1 << 20))], [true, true]);
  assertEquals([await echoed(one, bytes("hello")), refused.splice(0)], [false, ["client"]]);
  assertEquals([await echoed(other, manyBytes(1 << 20)), await echoed(other, bytes("hello"))], [true, true]);
  assertEquals([limiter.openFor(one), limiter.openFor(other), limiter.openFor("127.0.0.1")], [2, 2, 0]);
  const seen = server.seen.filter(({ address }) => CLIENTS.includes(address as never));
  assertEquals(seen.map(({ address }) => address), [one, one, other, other]);
  for (const { proxy, address, port } of seen) {
    assertEquals([proxy!.address, proxy!.command, proxy!.source], [peer, "PROXY", { address, port }]);
    kind.check?.(proxy!);
  }
  if (kind.healthChecks) {
    const { admitted } = limiter.stats();
    await eventually(() => limiter.stats().admitted >= admitted + 5, "more health checks");
    assert(server.seen.some(({ proxy }) => proxy?.command === "LOCAL"), "no LOCAL");
  }
  for (const visitor of visitors) visitor[Symbol.dispose]();
  await eventually(() => limiter.openFor(one) + limiter.openFor(other) === 0, "every slot to be free");
  assertEquals([refused, errors], [[], []]);
}

/** The name of a test that says why it is skipped. (Not `testUnless()`: on Deno, its sanitizers see the end of a child late.) */
export function nameOf(name: string, lack: Lack): string {
  return lack ? `${name} (skipped: ${lack})` : name;
}

/** The tests of an adapter, each with what it lacks. */
export function realRulesOf(adapter: Adapter): [lack: Lack, name: string, run: () => Promise<void>][] {
  return KINDS.map((kind) => [
    oneAddress || kind.lack,
    `proxyProtocol() serves the clients of a real proxy, and tells them apart (${kind.name}; ${adapter.name})`,
    () => serves(adapter, kind),
  ]);
}
