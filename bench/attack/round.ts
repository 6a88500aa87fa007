/**
 * One server under one attack: three equal bursts of it, and what they leave.
 *
 * @module
 */

import { program } from "../load.ts";
import { type AttackName, type Mode, POLITE, type Protocol } from "./attacks.ts";
import { Child } from "./child.ts";
import type { Raid } from "./crowd.ts";
import { memoryOf, socketsOf, Watch } from "./kernel.ts";
import type { Attempts, Seen } from "./polite.ts";
import { type Kind, serverOf } from "./servers.ts";
import type { Told } from "./subject.ts";

/** What a server has been seen to do under an attack. */
export interface Outcome {
  /** The polite clients' figures without an attack, during it, and after it. */
  readonly before: Seen;
  readonly during: Seen;
  readonly after: Seen;
  /** Attempts of the crowd, and how many of them got service. */
  attempts: number;
  served: number;
  /** The most that one address had in service at once, as the crowd saw it. */
  peakServed: number;
  /** The most connections of one address that the server held, as the kernel saw it. */
  peakHeld: number;
  /** Megabytes before, and after each burst. */
  readonly memory: number[];
  /** What the server itself tells, in the end. */
  told: Told;
  /** Slots that nobody has, in the end. */
  slotsLeaked: number;
  /** Sockets that are open for nobody, in the end. */
  socketsLeaked: number;
  /** How the server's process has ended, if it has. */
  ended: string | undefined;
  complaints: string;
  complained: number;
}

/** Besides the first. */
const BURSTS = 3;
/** Milliseconds that the polite clients are measured before the attack, and after it. */
const CALM = 250;
/** Milliseconds in which all is to be given back when all have left. Bun takes ten to give up on who never said a word. */
const SETTLING = 15_000;
/** Longer than anything takes, of what does not depend on the server. */
const DEADLINE = 60_000;

const nothing = (): Attempts => ({ attempts: 0, served: 0, times: [], failures: {} });
const noneSeen = (): Seen => ({ established: nothing(), fresh: nothing() });

/** Puts a server under an attack. */
export async function strike(kind: Kind, mode: Mode, attack: AttackName, seconds: number): Promise<Outcome> {
  const command = await serverOf(kind, mode, attack);
  using server = await start(command);
  using another = attack === "next door" ? await start(command) : undefined;
  const round = new Round(server, another ?? server, kind.protocol, attack);
  try {
    await round.run(seconds * 1_000 / BURSTS);
  } catch (error) {
    // A server that has died is a result; anything else is a mistake here.
    await server.until(() => false, 100);
    if (server.ended === undefined) throw error;
  }
  return round.finish();
}

async function start(command: Deno.Command): Promise<Child> {
  const server = new Child(command, false);
  if (!await server.until(() => server.last !== "", DEADLINE)) {
    throw new Error(`it does not start: ${server.complaints}`);
  }
  return server;
}

function toldBy(server: Child): Told {
  return JSON.parse(server.last);
}

class Round {
  readonly #server: Child;
  /** The server that the crowd attacks. */
  readonly #target: Child;
  readonly #protocol: Protocol;
  readonly #attack: AttackName;
  readonly #outcome: Outcome;

  constructor(server: Child, target: Child, protocol: Protocol, attack: AttackName) {
    this.#server = server;
    this.#target = target;
    this.#protocol = protocol;
    this.#attack = attack;
    this.#outcome = {
      before: noneSeen(),
      during: noneSeen(),
      after: noneSeen(),
      attempts: 0,
      served: 0,
      peakServed: 0,
      peakHeld: 0,
      memory: [],
      told: toldBy(this.#server),
      slotsLeaked: 0,
      socketsLeaked: 0,
      ended: undefined,
      complaints: "",
      complained: 0,
    };
  }

  async run(burst: number): Promise<void> {
    const outcome = this.#outcome;
    const { port } = toldBy(this.#server);
    const options = { stdin: "piped", stderr: "piped" } as const;
    using polite = new Child(program("attack/polite.ts", [port, this.#protocol], options));
    using crowd = new Child(
      program("attack/crowd.ts", [toldBy(this.#target).port, this.#protocol, this.#attack], options),
    );
    await polite.line(DEADLINE);
    // Bun accepts some connections only when they have sent something.
    await this.#calm(polite, noneSeen());
    const sockets = socketsOf(this.#server.pid) - POLITE;
    outcome.memory.push(await this.#memory());

    using watch = new Watch(port, 40);
    // The first has the code of all optimised. It counts for what must never be, but its times do not.
    for (let count = 0; count <= BURSTS; count++) {
      if (count === 1) await this.#calm(polite, outcome.before);
      await polite.ask("measure", DEADLINE);
      const raid: Raid = JSON.parse(await crowd.ask(`${burst}`, DEADLINE));
      add(outcome.during, JSON.parse(await polite.ask("report", DEADLINE)), count > 0);
      outcome.attempts += raid.attempts;
      outcome.served += raid.served;
      if (this.#target === this.#server) outcome.peakServed = Math.max(outcome.peakServed, raid.peak);
      outcome.peakHeld = watch.peak;
      if (this.#server.ended !== undefined) return;
      await this.#server.until(() => socketsOf(this.#server.pid) <= sockets + POLITE, 1_000);
      outcome.memory.push(await this.#memory());
    }
    await this.#calm(polite, outcome.after);

    await polite.ask("leave", DEADLINE);
    const slots = () => Math.max(0, toldBy(this.#server).open);
    const left = () => Math.max(0, socketsOf(this.#server.pid) - sockets);
    await this.#server.until(() => slots() === 0 && left() === 0, SETTLING);
    [outcome.slotsLeaked, outcome.socketsLeaked] = [slots(), left()];
  }

  async #calm(polite: Child, seen: Seen): Promise<void> {
    await polite.ask("measure", DEADLINE);
    await new Promise((resolve) => setTimeout(resolve, CALM));
    add(seen, JSON.parse(await polite.ask("report", DEADLINE)));
  }

  /** Megabytes after a collection of garbage, or without, where the server does not hear. */
  async #memory(): Promise<number> {
    const { collections } = toldBy(this.#server);
    this.#server.say("collect");
    await this.#server.until(() => toldBy(this.#server).collections > collections, 1_000);
    return memoryOf(this.#server.pid);
  }

  finish(): Outcome {
    const { ended, complaints, complained } = this.#server;
    return Object.assign(this.#outcome, { told: toldBy(this.#server), ended, complaints, complained });
  }
}

function add(sum: Seen, more: Seen, timed = true): void {
  for (const kind of ["established", "fresh"] as const) {
    sum[kind].attempts += more[kind].attempts;
    sum[kind].served += more[kind].served;
    if (timed) sum[kind].times.push(...more[kind].times);
    for (const [how, count] of Object.entries(more[kind].failures)) {
      sum[kind].failures[how] = (sum[kind].failures[how] ?? 0) + count;
    }
  }
}
