import { LoadGenerator } from "/tmp/w/deadlines-node/bench/lib/load_generator.ts";
import { megabytesPerSecond } from "/tmp/w/deadlines-node/bench/lib/bulk_echo.ts";
import { cpuEach, message, Server } from "/tmp/w/deadlines-node/bench/lib/servers.ts";
import { measureInRounds } from "/tmp/w/deadlines-node/bench/lib/rounds.ts";
import { printRatio } from "/tmp/w/deadlines-node/bench/lib/rows.ts";
using load = await LoadGenerator.start();
for (const runtime of ["Node", "Deno", "Bun"] as const) {
  const start = (mode: string) => Server.start({ file: "timed_echo.ts", runtime, args: ["net", mode, ""] });
  const b = await measureInRounds(start, ["timed", "plain"] as const, 9, megabytesPerSecond);
  printRatio(`deadlines, echo, ${runtime} net`, b.timed, b.plain, "MB/s", { atLeast: 0.97 });
  const s = await measureInRounds(
    start,
    ["timed", "plain"] as const,
    9,
    async (x) => cpuEach(await message(load, x, { inFlight: 64, warmUp: 300, window: 500 })),
  );
  printRatio(`deadlines, CPU per echo of 64 bytes, ${runtime} net`, s.timed, s.plain, "µs", { atMost: 1.1 });
}
