/**
 * A server that answers later.
 *
 * @module
 */

interface Server {
  readonly port: number;
}

const { Bun } = globalThis as unknown as { Bun: { serve(options: object): Server } };

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch() {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return new Response("hello\n");
  },
});
console.log(server.port);
