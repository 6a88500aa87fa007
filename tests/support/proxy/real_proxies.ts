/**
 * HAProxy and nginx, on ports and in folders of their own.
 *
 * @module
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Lack, lackUnless } from "../../../testing/loopback.ts";
import { certificate, connectFrom, eventually } from "../net.ts";

function outputOf(command: string, ...args: string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? stdout + stderr : undefined;
}

export const noHaproxy: Lack = lackUnless(
  outputOf("haproxy", "-v") !== undefined,
  "there is no HAProxy: apt-get install haproxy",
);

const nginx = outputOf("nginx", "-V") ?? "";
const modulesPath = /--modules-path=(\S+)/.exec(nginx)?.[1] ?? "";
const streamModule = join(modulesPath, "ngx_stream_module.so");
const isDynamic = nginx.includes("--with-stream=dynamic");

export const noNginxStream: Lack = lackUnless(
  isDynamic ? existsSync(streamModule) : nginx.includes("--with-stream"),
  "there is no nginx with its stream module: apt-get install nginx libnginx-mod-stream",
);

/** A port that nobody listens at. */
export async function freePort(hostname = "127.0.0.1"): Promise<number> {
  const server = createServer().listen(0, hostname);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** A proxy that runs until it is disposed of. */
export class RunningProxy implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #closed: Promise<unknown>;
  #log = "";

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#closed = once(child, "close");
    for (const output of [child.stdout!, child.stderr!]) output.on("data", (text) => this.#log += text);
  }

  /** Starts HAProxy. `{folder}` in the configuration is where it has `server.pem` and `ca.pem`. */
  static async haproxy(config: string, port: number): Promise<RunningProxy> {
    const folder = mkdtempSync(join(tmpdir(), "connlimit-haproxy-"));
    const { cert, key } = certificate();
    writeFileSync(join(folder, "server.pem"), cert + key);
    writeFileSync(join(folder, "ca.pem"), cert);
    writeFileSync(join(folder, "haproxy.cfg"), config.replaceAll("{folder}", folder));
    const child = spawn("haproxy", ["-db", "-f", join(folder, "haproxy.cfg")], { stdio: ["ignore", "pipe", "pipe"] });
    return await new RunningProxy(child, folder).#listening(port);
  }

  /** Starts nginx with a block `stream`. */
  static async nginx(stream: string, port: number): Promise<RunningProxy> {
    const folder = mkdtempSync(join(tmpdir(), "connlimit-nginx-"));
    const load = isDynamic ? `load_module ${streamModule};` : "";
    const config = `${load}
      daemon off; master_process off; error_log stderr; pid ${folder}/pid;
      events {}
      stream { ${stream} }`;
    writeFileSync(join(folder, "nginx.conf"), config);
    const args = ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", "stderr"];
    const child = spawn("nginx", args, { stdio: ["ignore", "pipe", "pipe"] });
    return await new RunningProxy(child, folder).#listening(port);
  }

  async #listening(port: number): Promise<this> {
    try {
      await eventually(async () => {
        if (this.#child.exitCode !== null) throw new Error(`the proxy has ended: ${this.#log}`);
        const client = await connectFrom("127.0.0.9", port).catch(() => undefined);
        client?.[Symbol.dispose]();
        return client !== undefined;
      }, "the proxy to listen");
      return this;
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
