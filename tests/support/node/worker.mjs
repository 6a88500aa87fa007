/**
 * A process that is sent sockets, on every runtime: it echoes what comes by them, and tells when each has closed.
 */

import process from "node:process";

process.on("message", (id, socket) => {
  if (socket === undefined) return;
  socket.on("error", () => {});
  socket.on("data", (data) => socket.write(data));
  socket.on("close", () => process.connected && process.send(id));
  socket.resume();
});
process.on("disconnect", () => process.exit());
process.send("ready");
