/**
 * What the servers of HTTP answer, whatever they are made of.
 *
 * - `/`: a line
 * - `/echo`: what has been sent, as it comes
 * - `/big`: more than systems buffer for a client that does not read
 * - `/drip`: a line from time to time
 * - `/late`: a line after a while
 * - `/fail`: the handler fails
 * - `/ws`: a WebSocket that echoes
 *
 * @module
 */

/** What `/big` answers. */
export const BIG: Uint8Array<ArrayBuffer> = new Uint8Array(8 << 20).fill(0x2e);

/** How many lines `/drip` answers with, and the milliseconds between them. */
export const DRIPS = 12;
export const DRIP = 100;

/** How many milliseconds `/late` takes. */
export const LATE = 700;
