/**
 * A place for Unix sockets, on every runtime.
 *
 * @module
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of its own, which is removed in the end. */
export class Folder implements Disposable {
  readonly #path: string = mkdtempSync(join(tmpdir(), "connlimit-"));

  /** The path of a file in it. */
  file(name = "socket"): string {
    return join(this.#path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.#path, { recursive: true });
  }
}
