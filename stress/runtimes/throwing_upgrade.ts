/**
 * A server that upgrades to a WebSocket, and then throws.
 *
 * @module
 */

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(port),
}, (request) => {
  if (request.headers.get("upgrade") === "websocket") Deno.upgradeWebSocket(request);
  throw new Error("something went wrong");
});
