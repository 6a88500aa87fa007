/**
 * One server under one attack: three equal bursts of it, and what they leave.
 *
 * @module
 */

import { setTimeout as sleep } from "node:timers/promises";
import { Child } from "../../bench/lib/child.ts";
import { type AttackName, HONEST_CLIENTS, type Mode, type Protocol } from "./attacks.ts";
import type { Raid } from "./attackers.ts";
import { memoryOf, socketsOf, Watch } from "./kernel.ts";
import { addSeen, nothingSeen, type Seen } from "./seen.ts";
import type { State } from "./target.ts";
import { type Kind, startTarget } from "./targets.ts";

/** What a server has been seen to do under an attack. */
export interface Outcome {
  /** The honest clients' figures without an attack, during it, and after it. */
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
  /** The last known state of the server. */
  state: State;
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
/** Milliseconds that the honest clients are measured before the attack, and after it. */
const CALM = 250;
/** Milliseconds in which all is to be given back when all have left. Bun takes ten to give up on who never said a word. */
const SETTLING = 15_000;
/** Milliseconds for an answer of the server, and for its sockets to be closed after a burst. */
const PATIENCE = 1_000;

/** Puts a server under an attack. */
export async function strike(kind: Kind, mode: Mode, attack: AttackName, seconds: number): Promise<Outcome> {
  using server = await startTarget(kind, mode, attack);
  using another = attack === "next door" ? await startTarget(kind, mode, attack) : undefined;
  const round = new Round(server, another ?? server, kind.protocol, attack);
  try {
    await round.run(seconds * 1_000 / BURSTS);
  } catch (error) {
    // A server that has died is a result; anything else is a mistake here.
    await Promise.race([server.gone, sleep(100)]);
    if (server.ended === undefined) throw error;
  }
  return round.finish();
}

class Round {
  readonly #server: Child<State>;
  /** The server that the crowd attacks. */
  readonly #target: Child<State>;
  readonly #protocol: Protocol;
  readonly #attack: AttackName;
  readonly #outcome: Outcome;

  constructor(server: Child<State>, target: Child<State>, protocol: Protocol, attack: AttackName) {
    this.#server = server;
    this.#target = target;
    this.#protocol = protocol;
    this.#attack = attack;
    this.#outcome = {
      before: nothingSeen(),
      during: nothingSeen(),
      after: nothingSeen(),
      attempts: 0,
      served: 0,
      peakServed: 0,
      peakHeld: 0,
      memory: [],
      state: server.hello,
      slotsLeaked: 0,
      socketsLeaked: 0,
      ended: undefined,
      complaints: "",
      complained: 0,
    };
  }

  async run(burst: number): Promise<void> {
    const outcome = this.#outcome;
    const { port } = this.#server.hello;
    using honest = await Child.start(program("honest_clients.ts"), [port, this.#protocol]);
    const target = [this.#target.hello.port, this.#protocol, this.#attack];
    using attackers = await Child.start(program("attackers.ts"), target);
    // Bun accepts some connections only when they have sent something.
    await this.#calm(honest, nothingSeen());
    const sockets = socketsOf(this.#server.pid) - HONEST_CLIENTS;
    const left = () => Math.max(0, socketsOf(this.#server.pid) - sockets);
    outcome.memory.push(await this.#memory());

    using watch = new Watch(port, 40);
    // The first has the code of all optimised. It counts for what must never be, but its times do not.
    for (let count = 0; count <= BURSTS; count++) {
      if (count === 1) await this.#calm(honest, outcome.before);
      await honest.ask("measure");
      const raid = await attackers.ask<Raid>("raid", [burst]);
      addSeen(outcome.during, await honest.ask<Seen>("report"), count > 0);
      outcome.attempts += raid.attempts;
      outcome.served += raid.served;
      if (this.#target === this.#server) outcome.peakServed = Math.max(outcome.peakServed, raid.peak);
      outcome.peakHeld = watch.peak;
      if (this.#server.ended !== undefined) return;
      await this.#until(() => left() <= HONEST_CLIENTS, PATIENCE);
      outcome.memory.push(await this.#memory());
    }
    await this.#calm(honest, outcome.after);

    await honest.ask("leave");
    await this.#until(async () => (await this.#look("state")).open === 0 && left() === 0, SETTLING);
    [outcome.slotsLeaked, outcome.socketsLeaked] = [Math.max(0, outcome.state.open), left()];
  }

  async #calm(honest: Child, seen: Seen): Promise<void> {
    await honest.ask("measure");
    await sleep(CALM);
    addSeen(seen, await honest.ask<Seen>("report"));
  }

  /** Megabytes after a collection of garbage, or without one if the server does not answer. */
  async #memory(): Promise<number> {
    await this.#look("collect");
    return memoryOf(this.#server.pid);
  }

  /** Asks for the state of the server. Resolves to the last known one if there is no answer. */
  async #look(command: "state" | "collect"): Promise<State> {
    return this.#outcome.state = await this.#server.ask<State>(command, [], PATIENCE).catch(() => this.#outcome.state);
  }

  /** Waits for a condition, until a deadline or the end of the server. */
  async #until(condition: () => boolean | Promise<boolean>, deadline: number): Promise<void> {
    const end = performance.now() + deadline;
    while (this.#server.ended === undefined && performance.now() < end && !await condition()) await sleep(50);
  }

  finish(): Outcome {
    const { ended, complaints, complained } = this.#server;
    return Object.assign(this.#outcome, { ended, complaints, complained });
  }
}

function program(file: string): URL {
  return new URL(file, import.meta.url);
}
