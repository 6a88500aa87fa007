/**
 * The descriptors of another process, by the system's count.
 *
 * @module
 */

/** How many a process has. */
export interface Descriptors {
  /** Sockets but for those within the machine, of which runtimes make some for themselves when they first need them. */
  readonly sockets: number;
  readonly all: number;
}

/** Counts the descriptors of a process, where the system tells. */
export function descriptorsOf(pid: number): Descriptors | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const unix = new Set(
    Deno.readTextFileSync(`/proc/${pid}/net/unix`).split("\n").map((line) => `socket:[${line.split(/\s+/)[6]}]`),
  );
  let [sockets, all] = [0, 0];
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    try {
      const target = Deno.readLinkSync(`/proc/${pid}/fd/${name}`);
      if (target.startsWith("socket:") && !unix.has(target)) sockets++;
      all++;
    } catch {
      // Closed by now.
    }
  }
  return { sockets, all };
}
