/**
 * All that the library needs of Node's modules, which Deno and Bun have too: declared here, so that the sources are
 * checked without the types of any runtime.
 */

interface Timer {
  ref(): unknown;
  unref(): unknown;
}

declare module "node:crypto" {
  interface Hash {
    update(data: string | Uint8Array): Hash;
    digest(encoding: "hex" | "base64url"): string;
  }
  export function createHash(algorithm: "sha1" | "sha256"): Hash;
}

declare module "node:events" {
  export const errorMonitor: unique symbol;
}

declare module "node:process" {
  const process: { readonly connected?: boolean };
  export default process;
}

declare module "node:timers" {
  export function setImmediate(callback: () => void): unknown;
  export function setInterval(callback: () => void, milliseconds: number): Timer;
  export function setTimeout(callback: () => void, milliseconds: number): Timer;
}

declare module "node:timers/promises" {
  export function setTimeout<T>(milliseconds: number, value?: T, options?: { signal?: AbortSignal }): Promise<T>;
}

declare module "node:worker_threads" {
  export interface MessagePort {
    on(event: "close", listener: () => void): unknown;
    postMessage(message: unknown): void;
    start(): void;
    unref(): void;
    close(): void;
  }
  export class MessageChannel {
    readonly port1: MessagePort;
    readonly port2: MessagePort;
  }
  export const parentPort: MessagePort | null;
}

// The global functions take such timers on every runtime.
declare function clearInterval(timer: Timer | undefined): void;
declare function clearTimeout(timer: Timer | undefined): void;
