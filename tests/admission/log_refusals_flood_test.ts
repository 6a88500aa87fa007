/**
 * A log and a ranking under a flood of refusals: bounded lines, bounded memory, the worst client named.
 *
 * @module
 */

import process from "node:process";
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Limiter, logRefusals, watchRefusals } from "@connlimit/connlimit";
import { createGate } from "../../src/admission/gate.ts";
import { FakePort } from "../support/fake_port.ts";

/** An adapter that writes nothing down. */
class ClosingPort extends FakePort {
  override refuse(): string {
    return "refused";
  }
  override present(conn: string): string {
    return conn;
  }
}

/** Megabytes in use once garbage is collected. */
function used(): number {
  const { Bun, gc = () => Bun!.gc(true) } = globalThis as { gc?(): void; Bun?: { gc(synchronously: boolean): void } };
  gc();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

test("logRefusals() and top() keep little and write few lines for 100,000 clients, and name the worst", () => {
  const limiter = new Limiter({ maxPerClient: 0 });
  const lines: string[] = [];
  using _ = watchRefusals(limiter);
  using onRefused = logRefusals({ period: 2 ** 31 - 1, logger: { warn: (line) => lines.push(line as string) } });
  const offer = createGate(new ClosingPort(), limiter, { onRefused });
  const flood = () => {
    for (let i = 0; i < 100_000; i++) {
      offer(`one of many: ${i}`);
      if (i % 50 === 0) offer("the worst");
    }
  };
  flood();
  onRefused.flush();
  assertEquals(lines.length, 11);
  const [, most] = /^connlimit: refused 101,990 more from more than 1,000 clients in \d+ s, most from (.*): \d/.exec(
    lines.pop()!,
  )!;
  assertEquals(most, 'key "the worst"');
  const before = used();
  for (let i = 0; i < 3; i++) flood();
  // Of each key there are 20 kB. All together would be 40 MB.
  for (let i = 0; i < 2_000; i++) offer(String.fromCharCode(0x4e00 + i).repeat(10_000));
  const more = used() - before;
  assert(more < 4, `${more.toFixed(1)} MB`);
  onRefused.flush();
  assertEquals(lines.length, 11);
  const { refused } = limiter.top(1_000);
  assertEquals(refused![0]!.client, "the worst");
  assert(refused!.every(({ client, error }) => client.length <= 65 && error <= 2 * limiter.stats().refused / 2_000));
});
