/**
 * A server that upgrades to a WebSocket, and then answers something else.
 *
 * @module
 */

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(port),
}, (request) => {
  if (request.headers.get("upgrade") === "websocket") Deno.upgradeWebSocket(request);
  return new Response("something else\n");
});
