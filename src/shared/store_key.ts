/**
 * The names of keys in a store.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { formatCidr } from "../core/cidr.ts";
import { cidrOf, type ClientKey, clientName, UNIX_CLIENT } from "../core/client_key.ts";
import type { SharedLevel } from "./level_needs.ts";

/** The longest name of a client's own key that is written out. Longer ones are hashed. */
const LONGEST = 64;

/**
 * The name of a key: `c:192.0.2.7`, `c:2001:db8:0:1::/64`, `c:unix`, `c:=alice`, `a:192.0.2.0/24`,
 * `n:10.0.0.0/8`, `t`. Different keys have
 * different names. A name is printable ASCII without braces, so that no client chooses a slot of a Cluster.
 */
export function storeKey(level: SharedLevel, key: ClientKey): string {
  return level === "total" ? "t" : `${level[0]}:${textOf(key)}`;
}

function textOf(key: ClientKey): string {
  const network = cidrOf(key);
  // The id of a zone may have any character but a space, a slash and a percent sign.
  if (network !== undefined) return formatCidr(network).replaceAll(/[^\w.:/%-]/g, (unit) => `%${hex(unit)}`);
  return key === UNIX_CLIENT ? "unix" : `=${named(clientName(key))}`;
}

function hex(unit: string): string {
  return unit.charCodeAt(0).toString(16).padStart(4, "0");
}

function named(name: string): string {
  const escaped = name.isWellFormed() ? encodeURIComponent(name) : "";
  if (escaped !== "" && escaped.length <= LONGEST) return escaped;
  const units = Uint16Array.from({ length: name.length }, (_, at) => name.charCodeAt(at));
  // An escaped name has no "#".
  return `#${createHash("sha256").update(new Uint8Array(units.buffer)).digest("base64url")}`;
}
