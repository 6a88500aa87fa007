/**
 * The declarations that the package is published with compile in users' projects, checked themselves: with the oldest and
 * the newest TypeScript, however modules are resolved, with the types of a runtime and without.
 *
 * @module
 */

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { projectOf } from "../support/published.ts";
import { ROOT } from "../support/with_server.ts";
import { node } from "../../testing/runtimes.ts";

const TOOLS = new URL("tests/tools/", ROOT);

/** Something of each entry point. */
const IMPORTS = `
  import { type Admitter, limitedListener, Limiter, type ListenerLike, withSlot } from "@connlimit/connlimit";
  import { type BunConn, type BunListener, limitSocketHandler, listen } from "@connlimit/connlimit/bun";
  import { limitRequests, upgradeWebSocket } from "@connlimit/connlimit/http";
  import { limitServer, type ServerLike, tooManyConnections } from "@connlimit/connlimit/node";
  import { SharedLimiter } from "@connlimit/connlimit/redis";
  import { ChannelStore, MemoryStore, StoreLimiter } from "@connlimit/connlimit/shared";

  export const fetch = limitRequests({ maxPerClient: 10 }, () => new Response("hello"));
  export const bound = (conn: BunConn) => withSlot(conn, new Limiter().accept(conn)).slot.client.length;
  export const others = [limitSocketHandler, listen, upgradeWebSocket, ChannelStore, SharedLimiter];
  export const shared = new StoreLimiter({ maxPerClient: 10 }, new MemoryStore({ name: "chat" }));
  declare const servers: { readonly node: ServerLike; readonly bun: BunListener; readonly deno: ListenerLike };
`;

/** A program where nothing is known of `Symbol.dispose`. */
const PLAIN = `${IMPORTS}
  export const { limiter, detach } = limitServer(servers.node, {}, { answer: tooManyConnections() });
  detach();
  const admission = limiter.tryAccept("192.0.2.7");
  if (admission.admitted) admission.release();
  else admission.reason satisfies string;
  for await (const conn of limitedListener(servers.deno, limiter)) conn.close();
  class Own implements Admitter {
    readonly own = 1;
    tryAccept = () => Promise.resolve(limiter.tryAccept("192.0.2.7"));
  }
  limitServer(servers.node, new Own()).limiter.own.toFixed();
  limitServer(servers.node, shared).limiter.status satisfies string;
  limitServer(servers.node, { maxPerClient: 1 }).limiter.setLimits({});
  // @ts-expect-error -- no option of that name
  limitServer(servers.node, { maxPerClient: 1, maxTotla: 1 });
`;

/** A program where it is known. */
const USING = `${IMPORTS}
  using attached = limitServer(servers.node);
  using admission = attached.limiter.tryAccept("192.0.2.7");
  using listener = limitedListener(servers.bun);
  for await (using conn of listener) conn.slot satisfies Disposable;
  await using closing = shared;
  // @ts-expect-error -- a limiter is not closed
  using none = attached.limiter;
`;

/** By the types of which runtime, the library of types that is needed beside it. */
const TYPES = { none: ["es2022", "dom"], node: ["es2022"], bun: ["es2022"] } as const;
/** By how modules are resolved, what they are. */
const MODULES = { node16: "node16", nodenext: "nodenext", bundler: "esnext" } as const;

/** The options of every project, by a name. */
const PROJECTS = Object.entries(TYPES).flatMap(([types, lib]) =>
  Object.entries(MODULES).map(([moduleResolution, module]) => ({
    name: `${types}-${moduleResolution}`,
    program: types === "none" ? "plain.ts" : "using.ts",
    compilerOptions: {
      ...{ target: "es2022", lib, module, moduleResolution, strict: true, exactOptionalPropertyTypes: true },
      ...{ noEmit: true, skipLibCheck: false, skipDefaultLibCheck: true },
      ...{ types: types === "none" ? [] : [types], typeRoots: [fileURLToPath(new URL("node_modules/@types", TOOLS))] },
    },
  }))
);

/** A user's project with the two programs. */
async function makeProject(): Promise<string> {
  await node(); // for the tools
  const folder = await projectOf("Node");
  await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify({ type: "module" }));
  await Deno.writeTextFile(`${folder}/plain.ts`, PLAIN);
  await Deno.writeTextFile(`${folder}/using.ts`, USING);
  return folder;
}

async function run(command: string, args: readonly string[], cwd: string | URL): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(command, { args: [...args], cwd }).output();
  return [stdout, stderr].map((text) => new TextDecoder().decode(text)).join("");
}

Deno.test("The published declarations compile with the newest TypeScript", async () => {
  const folder = await makeProject();
  const { command } = await node();
  const tsc = fileURLToPath(new URL("node_modules/typescript/bin/tsc", TOOLS));
  const compile = async ({ name, program, compilerOptions }: typeof PROJECTS[number]) => {
    const config = `${folder}/tsconfig.${name}.json`;
    await Deno.writeTextFile(config, JSON.stringify({ compilerOptions, files: [program] }));
    return [name, await run(command, [tsc, "-p", config], folder)];
  };
  // Three at a time.
  const outputs = [];
  for (let i = 0; i < PROJECTS.length; i += 3) {
    outputs.push(...await Promise.all(PROJECTS.slice(i, i + 3).map(compile)));
  }
  assertEquals(outputs, PROJECTS.map(({ name }) => [name, ""]));
});

Deno.test("The published declarations compile with the oldest TypeScript that the README names", async () => {
  const folder = await makeProject();
  const project = new URL("oldest_typescript/", TOOLS);
  assertStrictEquals(await run(Deno.execPath(), ["install", "--quiet"], project), "");
  // deno-lint-ignore no-explicit-any -- its types would come into all checks
  const ts: any = createRequire(new URL("deno.json", project))("typescript");
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  assert(ts.version.startsWith(`${/TypeScript (\d+\.\d+) or later/.exec(readme)![1]}.`));

  // Its sources are read once for all projects, and only ours are checked, since it takes seconds for those of a runtime.
  const sources = new Map<string, unknown>();
  const diagnose = ({ name, program, compilerOptions }: typeof PROJECTS[number]) => {
    const { options, errors } = ts.convertCompilerOptionsFromJson(compilerOptions, folder);
    assertEquals(errors, []);
    const host = ts.createCompilerHost(options, true);
    const { getSourceFile } = host;
    host.getSourceFile = (file: string, kind: { impliedNodeFormat?: number }, ...rest: unknown[]) => {
      const key = `${file} ${kind.impliedNodeFormat}`;
      if (!sources.has(key)) sources.set(key, getSourceFile.call(host, file, kind, ...rest));
      return sources.get(key);
    };
    const made = ts.createProgram([`${folder}/${program}`], options, host);
    const ours = made.getSourceFiles().filter(({ fileName }: { fileName: string }) => fileName.startsWith(folder));
    const all = [
      ...made.getGlobalDiagnostics(),
      ...made.getOptionsDiagnostics(),
      ...ours.flatMap((file: unknown) => [
        ...made.getSyntacticDiagnostics(file),
        ...made.getSemanticDiagnostics(file),
      ]),
    ];
    return [name, ours.length > 10, ts.formatDiagnostics(all, host)];
  };
  assertEquals(PROJECTS.map(diagnose), PROJECTS.map(({ name }) => [name, true, ""]));
});
