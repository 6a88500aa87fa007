/**
 * `proxyProtocol()`: finds the clients of connections by the PROXY protocol.
 *
 * @module
 */

import { type ClientFinder, type ConnAccess, FIND_CLIENT, type StagingFinder } from "../admission/client_finder.ts";
import { PendingStage, type Refused } from "../admission/pending_stage.ts";
import { identify, type Peer } from "../core/peer.ts";
import { checkDeadline, checkOptions, checkWhole, typeError } from "../core/validate.ts";
import { parseProxyHeader } from "./parse_proxy_header.ts";
import type { ProxyHeader } from "./proxy_protocol_header.ts";
import { bindProxy, boundProxy, HeaderInfo, type ProxyInfo } from "./proxy_of.ts";
import { trustedNetworks } from "./trusted.ts";

/** The options of {@linkcode proxyProtocol}. */
export interface ProxyProtocolOptions {
  /**
   * The proxies: addresses and networks in CIDR notation, and `"unix"` for the peers of Unix sockets. Their connections must
   * begin with a header, which is believed.
   */
  readonly trusted: readonly string[];
  /**
   * What becomes of connections from elsewhere:
   *
   * - `"refuse"`: they are refused, with the reason `"untrusted-peer"`;
   * - `"direct"`: their peer is the client. Nothing that they send is taken for a header.
   *
   * @default {"refuse"}
   */
  readonly untrusted?: "refuse" | "direct";
  /**
   * Milliseconds in which the header must come: 0 to 2,147,483,647. The specification advises at least 3,000, in which TCP
   * sends a lost packet again.
   *
   * @default {5_000}
   */
  readonly timeout?: number;
  /**
   * Connections whose header may be outstanding at once, for each listener or server: a whole number from 1. On Deno,
   * `limitedListener()` then stops accepting; elsewhere, further ones are refused, with the reason `"pending"`.
   *
   * @default {1_000}
   */
  readonly maxPending?: number;
  /**
   * The length in bytes of the longest header that is taken: 232 to 65,551. The shortest that may be set is that of two Unix
   * sockets, without TLVs.
   *
   * @default {4_096}
   */
  readonly maxHeader?: number;
}

const OPTIONS = ["trusted", "untrusted", "timeout", "maxPending", "maxHeader"];

/** Headers without TLVs are no longer, and V8 has small buffers in its own heap. For others the buffer grows. */
const BUFFER = 64;

/** Most often, one that reset the connection before it was accepted. */
const UNKNOWN: Refused = { admitted: false, reason: "unknown-address" };
const UNTRUSTED: Refused = { admitted: false, reason: "untrusted-peer" };
const INVALID: Refused = { admitted: false, reason: "proxy-header" };

/**
 * Makes an option `client`, for `limitedListener()`, `limitSocketHandler()` and `limitServer()`, that reads the header of
 * the PROXY protocol, versions 1 and 2, ahead of each connection's bytes. The connection is pending meanwhile. Then the
 * client that the header names is limited, and it is the address that the connection shows. {@linkcode proxyOf} has the
 * proxy's.
 *
 * A trusted proxy must send a header. A connection without a valid one is closed, with the reason `"proxy-header"`, or
 * `"timeout"` if it does not come in time. A connection that ends before is not counted.
 *
 * A health check (the command `LOCAL`) counts as a client of its own. Connections of which the proxy does not know the
 * client's IP address (`UNKNOWN`, `UNSPEC`, Unix sockets) are one client for each proxy.
 *
 * @example A server behind a load balancer
 * ```ts ignore
 * import { limitedListener } from "@connlimit/connlimit";
 * import { proxyProtocol } from "@connlimit/connlimit/proxy";
 *
 * const client = proxyProtocol({ trusted: ["10.0.0.0/8"] });
 * for await (const conn of limitedListener(Deno.listen({ port: 7000 }), { maxPerClient: 10 }, { client })) {
 *   conn.readable.pipeTo(conn.writable).catch(() => {});
 * }
 * ```
 *
 * @param options The proxies, and bounds.
 * @returns The option. Several listeners and servers may share it.
 * @throws {TypeError} For an unknown option or a value of the wrong type.
 * @throws {RangeError} For a number out of its range, or a list of proxies that is empty or has what is no network.
 */
export function proxyProtocol(options: ProxyProtocolOptions): ClientFinder {
  checkOptions("options", "proxyProtocol option", options, OPTIONS);
  const { trusted, untrusted = "refuse", timeout = 5_000, maxPending = 1_000, maxHeader = 4_096 } = options;
  const isTrusted = trustedNetworks(trusted);
  if (untrusted !== "refuse" && untrusted !== "direct") throw typeError("untrusted", '"refuse" or "direct"', untrusted);
  checkDeadline("timeout", timeout);
  checkWhole("maxPending", maxPending, 1, Infinity);
  checkWhole("maxHeader", maxHeader, 232, 65_551);
  const finder: StagingFinder = {
    by: "PROXY protocol",
    [FIND_CLIENT]<C>(access: ConnAccess<C>): PendingStage<C> {
      if (access.tls) throw new TypeError(TLS);
      const known = (conn: C): Peer | Refused | undefined => {
        // Another limiter may have read the header.
        const before = boundProxy(access.objectOf(conn));
        if (before !== undefined) return clientOf(before);
        const peer = access.peerOf(conn);
        const identity = identify(peer);
        if (identity === undefined) return UNKNOWN;
        if (!isTrusted(identity)) return untrusted === "direct" ? peer : UNTRUSTED;
        if (access.isTls?.(conn)) throw new TypeError(TLS);
        return undefined;
      };
      const find = async (conn: C): Promise<Peer | Refused | undefined> => {
        const header = await readHeader(conn, access, maxHeader);
        if (header === undefined || header === INVALID) return header;
        const info = new HeaderInfo(access.peerOf(conn), header as ProxyHeader);
        bindProxy(access.objectOf(conn), info);
        const { source } = info;
        if (source !== undefined) access.show(conn, source.address, source.port);
        return clientOf(info);
      };
      return new PendingStage({ max: maxPending, timeout }, find, known);
    },
  };
  return finder;
}

const TLS =
  "client must be left out of a listener that speaks TLS: a header comes before the handshake, which the runtime has " +
  "begun; limit a server of node:tls or node:https with limitServer()";

/** Reads a header and nothing behind it. Resolves to nothing if the connection has ended. */
async function readHeader<C>(
  conn: C,
  access: ConnAccess<C>,
  maxHeader: number,
): Promise<ProxyHeader | Refused | undefined> {
  let buffer = new Uint8Array(BUFFER);
  for (let length = 0;;) {
    const parsed = parseProxyHeader(buffer.subarray(0, length), maxHeader);
    if (typeof parsed !== "number") return parsed ?? INVALID;
    const end = length + parsed;
    if (end > buffer.length) {
      const longer = new Uint8Array(end);
      longer.set(buffer);
      buffer = longer;
    }
    const read = access.read(conn, buffer.subarray(length, end));
    // A read that fails tells of an end, too, such as a reset.
    const count = typeof read === "object" && read !== null ? await read.catch(() => null) : read;
    if (count === null) return undefined;
    length += count;
  }
}

/** Numbers connections of proxies that have no ports. */
let local = 0;

/**
 * The client of a connection. It is never the proxy's own address, whose connections and those of clients without one would
 * then be the same client.
 */
function clientOf({ address, port, command, source }: ProxyInfo): Peer {
  if (source !== undefined) return source.address;
  // Where one is refused, the proxy takes the server for down.
  return { key: command === "LOCAL" ? `proxy ${address} ${port ?? `#${local++}`}` : `proxy ${address}` };
}
