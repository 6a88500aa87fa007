/**
 * Text on terminals of every width.
 *
 * @module
 */

/** Prints lines, broken between words where the terminal is narrower. Other output than a terminal has whole lines. */
export function print(text: string, indent = 0): void {
  const columns = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : Infinity;
  console.log(text.split("\n").map((line) => wrap(line, columns, indent)).join("\n"));
}

/** Breaks a line between words. All lines but the first are indented. */
export function wrap(line: string, columns: number, indent: number): string {
  if (line.length <= columns) return line;
  const at = line.lastIndexOf(" ", columns);
  // A break within the indentation would make no line shorter.
  if (at <= indent) return line;
  return `${line.slice(0, at).trimEnd()}\n${
    wrap(" ".repeat(indent) + line.slice(at + 1).trimStart(), columns, indent)
  }`;
}
