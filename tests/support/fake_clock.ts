/**
 * A clock that stands still until the test moves it.
 *
 * @module
 */

/** A timer that has not run yet. */
interface Timer {
  readonly due: number;
  readonly run: () => void;
}

/** Takes the place of `performance.now()`, `setTimeout()` and `clearTimeout()` until it is disposed of. */
export class FakeClock implements Disposable {
  /** The delays of all timers so far, in the order in which they were started. */
  readonly delays: number[] = [];
  readonly #timers = new Map<number, Timer>();
  readonly #before = [globalThis.setTimeout, globalThis.clearTimeout] as const;
  /** On some runtimes it is the object's own. */
  readonly #ownNow = Object.getOwnPropertyDescriptor(performance, "now");
  #now = 1_000;

  constructor() {
    Object.defineProperty(performance, "now", { value: () => this.#now, configurable: true });
    globalThis.setTimeout =
      ((run: () => void, delay: number) => this.#start(run, delay)) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((id: number) => void this.#timers.delete(id)) as unknown as typeof clearTimeout;
  }

  /** The number of timers that have not run yet. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass. Runs each timer that becomes due, at its own time. */
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let next = this.#first(); next !== undefined && next[1].due <= end; next = this.#first()) {
      this.#run(next, next[1].due);
    }
    this.#now = end;
  }

  /** Runs the next timer so much before it is due. */
  runEarly(milliseconds: number): void {
    const next = this.#first()!;
    this.#run(next, next[1].due - milliseconds);
  }

  #start(run: () => void, delay: number): number {
    // As the runtimes do, with a delay that they cannot represent.
    const real = delay >= 1 && delay <= 0x7fffffff ? delay : 1;
    this.#timers.set(this.delays.push(delay), { due: this.#now + real, run });
    return this.delays.length;
  }

  #first(): [id: number, timer: Timer] | undefined {
    return [...this.#timers].sort(([, one], [, other]) => one.due - other.due)[0];
  }

  #run([id, { run }]: [id: number, timer: Timer], at: number): void {
    this.#timers.delete(id);
    this.#now = at;
    run();
  }

  [Symbol.dispose](): void {
    Reflect.deleteProperty(performance, "now");
    if (this.#ownNow !== undefined) Object.defineProperty(performance, "now", this.#ownNow);
    [globalThis.setTimeout, globalThis.clearTimeout] = this.#before;
  }
}
