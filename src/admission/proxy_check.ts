/**
 * The check for proxies that are taken for clients.
 *
 * @module
 */

import { formatAddress } from "../core/address.ts";
import { parseCidr } from "../core/cidr.ts";
import { UNIX_CLIENT } from "../core/client_key.ts";
import { identify, type Identity, type Peer } from "../core/peer.ts";
import { PrefixMap } from "../core/prefix_map.ts";
import { tellOnce } from "./checks.ts";
import type { ErrorHook } from "./hooks.ts";

/** The headers by which proxies name their clients. */
const FORWARDED = ["x-forwarded-for", "forwarded", "x-real-ip"] as const;

/** One of {@linkcode FORWARDED}. */
export type ForwardedHeader = typeof FORWARDED[number];

/** The networks of one machine or one site: loopback, private, shared and link-local. (RFC 6890) */
const NEAR = [
  ...["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"],
  ...["::1", "fc00::/7", "fe80::/10"],
];

/** Made when it is needed first. */
let near: PrefixMap<object> | undefined;

/** Whether a peer is on the same machine or in the same private network. */
export function isNear(peer: Identity): boolean {
  if (typeof peer === "string") return peer === UNIX_CLIENT;
  near ??= new PrefixMap(NEAR.map((text) => [parseCidr(text)!, {}]));
  return near.find(peer) !== undefined;
}

/** Tells of proxies that are refused for having as many open as one client may. Looks at refusals only. */
export class ProxyCheck {
  readonly #about: object;
  readonly #remedy: string;
  readonly #onError: ErrorHook | undefined;
  #refused = 0;
  /** By whether the peer is near: a client from afar that sends such a header must not use up what is to be said of a proxy. */
  readonly #told = [false, false];

  /**
   * @param about What is set up so: a handler or a server, of which it is told once.
   * @param remedy What to do.
   */
  constructor(about: object, remedy: string, onError: ErrorHook | undefined) {
    this.#about = about;
    this.#remedy = remedy;
    this.#onError = onError;
  }

  /** Whether to look at a refusal for the reason `"client"`. It is one of 64, since reading headers takes time. */
  get isDue(): boolean {
    return !(this.#told[0] && this.#told[1]) && (this.#refused++ & 63) === 0;
  }

  /** Looks for a header of a proxy. Returns whether there is one. */
  look(peer: Peer | undefined, has: (header: ForwardedHeader) => boolean): boolean {
    const header = FORWARDED.find(has);
    const who = header && peer !== undefined ? identify(peer) : undefined;
    // A key is no peer.
    if (who === undefined || typeof who === "string" && who !== UNIX_CLIENT) return false;
    const place = Number(isNear(who));
    if (this.#told[place]) return true;
    this.#told[place] = true;
    // The address is written anew, and the header is one of three: nothing here is a client's text.
    const name = typeof who === "string" ? "the peer of a Unix socket" : formatAddress(who);
    const message = () =>
      `${name} was refused at maxPerClient and sends the header ${header}; if it is your proxy, all its users are one ` +
      `client: ${this.#remedy}`;
    tellOnce(this.#about, "proxy-refused", this.#onError, message, `${place}`);
    return true;
  }
}
