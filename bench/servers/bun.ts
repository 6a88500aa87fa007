/**
 * The part of Bun that measured servers use, for files that are checked without Bun's types.
 *
 * @module
 */

/** A socket of Bun's. */
export interface Socket {
  data: { rest: Uint8Array | undefined };
  write(data: Uint8Array): number;
  pause(): void;
  resume(): void;
  end(): void;
}

/** Its callbacks. */
export interface Handlers {
  open?(socket: Socket): void;
  data(socket: Socket, data: Uint8Array): void;
  drain?(socket: Socket): void;
}

interface Bun {
  listen(options: object): { readonly port: number };
  serve(options: object): { readonly port: number };
}

/** Undefined on other runtimes. */
export const bun: Bun = (globalThis as unknown as { Bun: Bun }).Bun;
