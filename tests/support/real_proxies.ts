/**
 * HAProxy and nginx, on ports and in folders of their own.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Lack, lackUnless } from "../../testing/loopback.ts";
import { Program } from "../../testing/program.ts";
import { Folder } from "./folder.ts";
import { answers, certificate, eventually, freePort } from "./net.ts";

function outputOf(command: string, ...args: string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? stdout + stderr : undefined;
}

export const noHaproxy: Lack = lackUnless(
  outputOf("haproxy", "-v") !== undefined,
  "there is no HAProxy: apt-get install haproxy",
);

const nginx = outputOf("nginx", "-V");
const streamModule = join(/--modules-path=(\S+)/.exec(nginx ?? "")?.[1] ?? "", "ngx_stream_module.so");
/** Debian has the stream module in a package of its own. */
const hasDynamicStream = existsSync(streamModule);

export const noNginx: Lack = lackUnless(nginx !== undefined, "there is no nginx: apt-get install nginx");

export const noNginxStream: Lack = lackUnless(
  nginx !== undefined && (hasDynamicStream || /--with-stream(?!\S)/.test(nginx)),
  "there is no nginx with its stream module: apt-get install nginx libnginx-mod-stream",
);

/** A proxy that runs until it is disposed of. */
export class RunningProxy implements AsyncDisposable {
  readonly port: number;
  readonly #program: Program;
  readonly #folder: Folder;

  private constructor(port: number, folder: Folder, command: string, ...args: string[]) {
    this.port = port;
    this.#folder = folder;
    this.#program = new Program(command, args, { stderr: "pipe" });
  }

  /** Starts HAProxy. `{port}` in the configuration is its own; `{folder}` is where it has `server.pem` and `ca.pem`. */
  static async haproxy(config: string): Promise<RunningProxy> {
    const [port, folder] = [await freePort(), new Folder()];
    const { cert, key } = certificate();
    writeFileSync(folder.file("server.pem"), cert + key);
    writeFileSync(folder.file("ca.pem"), cert);
    const filled = config.replaceAll("{folder}", folder.file("")).replaceAll("{port}", `${port}`);
    writeFileSync(folder.file("config"), filled);
    return await new RunningProxy(port, folder, "haproxy", "-db", "-f", folder.file("config")).#listening();
  }

  /** Starts nginx with a block `stream` or `http`. `{port}` in it is its own; paths are within its folder. */
  static async nginx(block: string): Promise<RunningProxy> {
    const [port, folder] = [await freePort(), new Folder()];
    const load = hasDynamicStream ? `load_module ${streamModule};` : "";
    const main = `${load} daemon off; master_process off; error_log stderr; pid nginx.pid; events {}`;
    writeFileSync(folder.file("config"), `${main}\n${block.replaceAll("{port}", `${port}`)}`);
    const args = ["-e", "stderr", "-p", folder.file(""), "-c", "config"];
    return await new RunningProxy(port, folder, "nginx", ...args).#listening();
  }

  async #listening(): Promise<this> {
    try {
      await eventually(async () => {
        if (!this.#program.runs) throw new Error(`the proxy has ended: ${this.#program.output}`);
        return await answers(this.port);
      }, "the proxy to listen");
      return this;
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}
