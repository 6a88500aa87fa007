/**
 * The clients of one runtime's servers: many addresses, each visit of a kind that chance decides.
 *
 *   deno run -A stress/soak/traffic.ts SEED RATE IPV6 TARGETS
 *
 * Commands: `come`, `leave`, which waits until nobody is left, and `counts`.
 *
 * @module
 */

import { serveCommands } from "../../bench/lib/commands.ts";
import { ECHO_VISITS } from "./echo_visits.ts";
import { HTTP_VISITS } from "./http_visits.ts";
import { Random } from "../../testing/random.ts";
import type { Target } from "./soaked_servers.ts";
import { Held, type Outcome, Visitor } from "./visitor.ts";

/** What has come of the visits to a server. */
export interface Counts {
  readonly outcomes: Readonly<Partial<Record<Outcome | "unconnected", number>>>;
  /** What clients had open for sure, at most: in all, and of one address. */
  readonly held: readonly [peak: number, peakOfClient: number];
  /** Some of what was not as it should be. */
  readonly complaints: readonly string[];
}

/** Visits to one server at a time, at most: a server that does not answer must not bring down its clients. */
const AT_ONCE = 150;

/** By how many milliseconds a visit may be late. */
const LATEST = 1_000;

/** How many complaints are kept. */
const COMPLAINTS = 20;

const [seed, rate, ipv6, targets] = Deno.args as [string, string, string, string];

/** All that come to one server. */
class Crowd {
  readonly #target: Target;
  readonly #random: Random;
  readonly #visitors = new Set<Visitor>();
  readonly #outcomes: Partial<Record<Outcome | "unconnected", number>> = {};
  readonly #complaints: string[] = [];
  readonly #held = new Held();
  #due = performance.now();
  #underWay = 0;
  #coming = false;
  #idle = () => {};

  constructor(target: Target, random: Random) {
    this.#target = target;
    this.#random = random;
    this.#next();
  }

  /** By the clock, so that a busy machine makes no fewer visits, unless it is hopelessly late. */
  #next(): void {
    const now = performance.now();
    this.#due = Math.max(this.#due + this.#random.wait(1_000 / Number(rate)), now - LATEST);
    setTimeout(() => {
      this.#next();
      if (this.#coming && this.#underWay < AT_ONCE) this.#visit();
    }, Math.max(0, this.#due - now));
  }

  async #visit(): Promise<void> {
    // Whatever chance decides is decided here, in the order of the visits, and not as they go.
    const random = new Random(this.#random.integer(0, 2 ** 31));
    const address = addressOf(random);
    const visit = random.weighted(this.#target.speaks === "echo" ? ECHO_VISITS : HTTP_VISITS);
    this.#underWay++;
    let outcome: Outcome | "unconnected" = "unconnected";
    try {
      using visitor = await Visitor.connect(address, this.#target, random, this.#held);
      outcome = "stuck";
      this.#visitors.add(visitor);
      try {
        if (!this.#coming) visitor.abandon();
        outcome = await visit(visitor);
      } catch (error) {
        outcome = `${error}`.includes("waited") ? "stuck" : "broken";
        if (this.#coming) this.#complain(`${visit.name}: ${error}`.slice(0, 300));
      } finally {
        this.#visitors.delete(visitor);
      }
      if (!this.#coming) outcome = "left";
      else if (outcome === "broken") this.#complain(`${visit.name} from ${address}: broken`);
    } catch {
      // It could not connect, or was turned away before it knew that it was connected.
    }
    this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1;
    if (--this.#underWay === 0) this.#idle();
  }

  #complain(complaint: string): void {
    if (this.#complaints.length < COMPLAINTS) this.#complaints.push(complaint);
  }

  come(): void {
    this.#coming = true;
  }

  /** Has everyone leave. Resolves when they have. */
  async leave(): Promise<void> {
    this.#coming = false;
    for (const visitor of this.#visitors) if (!visitor.leaving) visitor.leave();
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#idle = resolve);
  }

  counts(): Counts {
    const { peak, peakOfClient } = this.#held;
    return { outcomes: this.#outcomes, held: [peak, peakOfClient], complaints: this.#complaints };
  }
}

/** Addresses for every reason to be refused: few clients, one network, a blocked network, and anybody. */
function addressOf(random: Random): string {
  const host = () => random.integer(1, 250);
  return random.weighted([
    [25, () => `127.1.${random.integer(1, 3)}.1`],
    [25, () => `127.2.1.${host()}`],
    [32, () => `127.${random.integer(100, 250)}.${host()}.${host()}`],
    [5, () => `127.66.${host()}.${host()}`],
    [6, () => `127.77.${random.integer(1, 2)}.1`],
    [7, () => ipv6 === "true" ? "::1" : "127.3.1.1"],
  ])();
}

const random = new Random(Number(seed));
const crowds: Readonly<Record<string, Crowd>> = Object.fromEntries(
  (JSON.parse(targets) as Target[]).map((target) => [
    target.name,
    new Crowd(target, new Random(random.integer(0, 2 ** 31))),
  ]),
);
const all = Object.values(crowds);

serveCommands(null, {
  come: () => all.forEach((crowd) => crowd.come()),
  leave: () => Promise.all(all.map((crowd) => crowd.leave())),
  counts: () => Object.fromEntries(Object.entries(crowds).map(([name, crowd]) => [name, crowd.counts()])),
});
