import process from "node:process";

  import { limitServerRequests } from "@connlimit/connlimit/node";
  import { forwarded } from "@connlimit/connlimit/proxy";

    import fastify from "fastify";
    const app = fastify({ trustProxy: "127.0.0.0/8" });
    const { server } = app;
    limitServerRequests(server, { maxPerClient: 2 }, {
  client: forwarded({ header: "x-forwarded-for", trusted: ["127.0.0.0/8"] }),
});
    app.get("/", async (request) => request.ip);
    app.get("/wait", () => new Promise(() => {}));
    await app.listen({ port: Number(process.argv[2]), host: "0.0.0.0" });
  