/**
 * WebSockets by hand: what a client that is a raw socket sends and gets.
 *
 * @module
 */

/** What asks for an upgrade. */
export const HEADERS: string[] = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
];

/** Frames as a client sends them, masked with zeros. */
export const CLOSE: Uint8Array = new Uint8Array([0x88, 0x80, 0, 0, 0, 0]);
export const HELLO: Uint8Array = new Uint8Array([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
export const GARBAGE: Uint8Array = new Uint8Array(20).fill(0xff);
export const PING: Uint8Array = new Uint8Array([0x89, 0x80, 0, 0, 0, 0]);

/** The answer to `PING`, read byte by byte. */
export const PONG = "\x8a\0";
