/**
 * Text, to connections and from them.
 *
 * @module
 */

/** Text as it is sent. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Reads into a small buffer. Resolves to the text. */
export async function readText(
  conn: { read(buffer: Uint8Array): Promise<number | null> },
  size = 16,
): Promise<string | null> {
  const buffer = new Uint8Array(size);
  const count = await conn.read(buffer);
  return count === null ? null : new TextDecoder().decode(buffer.subarray(0, count));
}
