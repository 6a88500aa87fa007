/**
 * Redis's protocol, as far as tests need it: where a message ends, and what it says. Versions 2 and 3.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** An error that Redis replied. It is a value here, since in a script's array it is one of several. */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
}

/** A reply. A map of version 3 is an array of keys and values in turn, as in version 2. */
export type Reply = string | number | null | ReplyError | readonly Reply[];

/** A message and how many bytes it has; nothing while some of them are missing. */
export function decode(bytes: Buffer, start = 0): [message: Reply, end: number] | undefined {
  const lineEnd = bytes.indexOf("\r\n", start);
  if (lineEnd < 0) return undefined;
  const line = bytes.toString("latin1", start + 1, lineEnd);
  const kind = String.fromCharCode(bytes[start]!);
  const next = lineEnd + 2;
  switch (kind) {
    case "+":
    case "(":
    case ",":
    case "#":
      return [line, next];
    case "-":
      return [new ReplyError(line), next];
    case ":":
      return [Number(line), next];
    case "_":
      return [null, next];
    case "$":
    case "!":
    case "=": {
      const length = Number(line);
      if (length < 0) return [null, next];
      if (bytes.length < next + length + 2) return undefined;
      const text = bytes.toString("utf8", next, next + length);
      return [kind === "!" ? new ReplyError(text) : text, next + length + 2];
    }
    case "*":
    case "~":
    case ">":
    case "%":
    case "|": {
      const count = Number(line) * ("%|".includes(kind) ? 2 : 1);
      if (count < 0) return [null, next];
      const items: Reply[] = [];
      let at = next;
      for (let i = 0; i < count; i++) {
        const item = decode(bytes, at);
        if (item === undefined) return undefined;
        items.push(item[0]);
        at = item[1];
      }
      return [items, at];
    }
  }
  throw new Error(`not a message of Redis: ${bytes.toString("latin1", start, start + 40)}`);
}

/** A command. */
export function encode(args: readonly (string | number)[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(`${arg}`)}\r\n${arg}\r\n`).join("")}`;
}

/** Cuts a stream of bytes into messages. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The messages that are whole now, each with its bytes. */
  *read(chunk: Uint8Array | string): Generator<[message: Reply, bytes: Buffer]> {
    this.#rest = Buffer.concat([this.#rest, typeof chunk === "string" ? Buffer.from(chunk) : chunk]);
    for (;;) {
      const decoded = this.#rest.length === 0 ? undefined : decode(this.#rest);
      if (decoded === undefined) return;
      const bytes = this.#rest.subarray(0, decoded[1]);
      this.#rest = this.#rest.subarray(decoded[1]);
      yield [decoded[0], bytes];
    }
  }
}
