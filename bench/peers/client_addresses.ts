/**
 * The addresses of clients, of which each is a client of its own. They are scattered over their family's space.
 *
 * @module
 */

/** An address family. */
export type Family = "IPv4" | "IPv6";

const ADDRESS_OF: Record<Family, (client: number) => string> = {
  IPv4: (client) => ipv4(scatter(client)),
  IPv6: (client) => `${ipv6(scatter(client), client)}1`,
};

/**
 * Makes a source of the first addresses of a family, in turns as often as told. Each time, the strings are new ones: so they
 * come from the runtimes too, and what is keyed by them has to hash and to compare every one.
 */
export function addressSource(family: Family, clients: number, turns: number): () => string[] {
  const json = JSON.stringify(Array.from({ length: clients * turns }, (_, i) => ADDRESS_OF[family](i % clients)));
  return () => JSON.parse(json);
}

/** Scatters numbers, so that each has 32 bits of its own. */
export function scatter(number: number): number {
  return Math.imul(number + 1, 0x9e3779b1);
}

/** An IPv4 address of 32 bits. */
export function ipv4(bits: number): string {
  return `${bits >>> 24}.${bits >>> 16 & 255}.${bits >>> 8 & 255}.${bits & 255}`;
}

/** An IPv6 address of 64 bits, or the last 60 of them, in 2000::/4. */
export function ipv6(high: number, low: number): string {
  const groups = [0x2000 | high >>> 16 & 0xfff, high & 0xffff, low >>> 16, low & 0xffff];
  return `${groups.map((group) => group.toString(16)).join(":")}::`;
}
