/**
 * Headers of the PROXY protocol.
 *
 * @module
 */

import { type Address, formatAddress } from "../core/address.ts";
import { ProxyTlvs } from "./tlvs.ts";

/** An end of a connection, as the header has it. */
export interface ProxyEndpoint {
  /** The IP address, in its canonical form: an IPv4-mapped one is an IPv4 address. */
  readonly address: string;
  /** The port. */
  readonly port: number;
}

/** The addresses and ports of a header, as they are parsed. */
export interface Route {
  readonly source: Address;
  readonly sourcePort: number;
  readonly destination: Address;
  readonly destinationPort: number;
}

const NOTHING = new Uint8Array(0);

/** A valid header. */
export class ProxyHeader {
  /** The version of the protocol. */
  readonly version: 1 | 2;
  /** `"LOCAL"` if the proxy speaks for itself, as in a health check. */
  readonly command: "LOCAL" | "PROXY";
  /** The length in bytes. */
  readonly length: number;
  readonly #route: Route | undefined;
  readonly #tlvs: Uint8Array;

  /**
   * @param route Absent where there is no client with an IP address: for `LOCAL` and `UNKNOWN`, and for Unix sockets.
   * @param tlvs The bytes of the TLVs, which nobody else may change.
   */
  constructor(
    version: 1 | 2,
    command: "LOCAL" | "PROXY",
    length: number,
    route: Route | undefined,
    tlvs: Uint8Array = NOTHING,
  ) {
    this.version = version;
    this.command = command;
    this.length = length;
    this.#route = route;
    this.#tlvs = tlvs;
  }

  /** The client's end of its connection to the proxy. */
  get source(): ProxyEndpoint | undefined {
    return this.#route && { address: formatAddress(this.#route.source), port: this.#route.sourcePort };
  }

  /** The proxy's end of that connection. */
  get destination(): ProxyEndpoint | undefined {
    return this.#route && { address: formatAddress(this.#route.destination), port: this.#route.destinationPort };
  }

  /** What else the proxy says. */
  get tlvs(): ProxyTlvs {
    return new ProxyTlvs(this.#tlvs);
  }
}
