/**
 * Text from clients, made fit for a line of a log.
 *
 * @module
 */

/**
 * What could end a line, move the cursor, reorder or hide text, break the quotes, or is no character: controls, formats,
 * separators other than a space, lone surrogates, private and unassigned characters; `"` and `\`.
 */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}"\\]|(?! )\p{Zs}/gu;

/**
 * Escapes what is not printable, as JSON does, and cuts the text. Different texts that are not cut stay different.
 *
 * @param max The most characters before they are escaped.
 */
export function printable(text: string, max = 64): string {
  const kept = text.length > max ? text.slice(0, max) : text;
  return kept.replace(UNPRINTABLE, escape) + (kept === text ? "" : "…");
}

function escape(character: string): string {
  if (character === '"' || character === "\\") return `\\${character}`;
  // One or two units of UTF-16.
  return character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
}
