/**
 * The live display: a table that is redrawn in place on a terminal, otherwise a line now and then.
 *
 * @module
 */

import { print } from "./print.ts";
import {
  frame,
  FRAME_HEIGHT,
  FRAME_WIDTH,
  type News,
  NEWS_INDENT,
  newsLine,
  type Scene,
  statusLine,
  title,
} from "./table.ts";

/** Shows the scene until it is disposed of. */
export interface Display extends Disposable {
  /** Announces something. */
  tell(text: string): void;
}

/** Hides the cursor, and cuts long lines off where they would wrap: a terminal may be made narrower. Then the reverse. */
const BEGIN = "\x1b[?25l\x1b[?7l";
const END = "\x1b[?7h\x1b[?25h";
const CLEAR_TO_END_OF_LINE = "\x1b[K";

/** Opens the display that fits the place where the output goes. */
export function openDisplay(scene: Scene): Display {
  return fits() ? new Screen(scene) : new Log(scene);
}

/** Whether this is a terminal in which the table fits: moving the cursor back over more lines than there are fails. */
function fits(): boolean {
  if (!Deno.stdout.isTerminal()) return false;
  const { columns, rows } = Deno.consoleSize();
  return columns >= FRAME_WIDTH && rows > FRAME_HEIGHT;
}

function clock(): () => number {
  const start = performance.now();
  return () => (performance.now() - start) / 1000;
}

/** A table, ten times a second in the same place. */
class Screen implements Display {
  readonly #scene: Scene;
  readonly #seconds = clock();
  readonly #news: News[] = [];
  readonly #timer = setInterval(() => this.#draw(), 100);
  #drawn = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
    Deno.addSignalListener("SIGINT", interrupt);
    write(BEGIN);
  }

  tell(text: string): void {
    this.#news.push({ seconds: this.#seconds(), text });
    this.#draw();
  }

  /** One write for each frame, and each line over the old one: clearing first would flicker. */
  #draw(): void {
    const lines = frame(this.#scene, this.#seconds(), this.#news);
    const up = this.#drawn === 0 ? "" : `\x1b[${this.#drawn}A`;
    write(up + lines.map((line) => line + CLEAR_TO_END_OF_LINE + "\n").join(""));
    this.#drawn = lines.length;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#draw();
    Deno.removeSignalListener("SIGINT", interrupt);
    write(END);
  }
}

function interrupt(): never {
  write(END);
  Deno.exit(130); // what a shell expects of a program that Ctrl-C has ended
}

function write(text: string): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
}

/** A line a second, for files and CI. */
class Log implements Display {
  readonly #scene: Scene;
  readonly #seconds = clock();
  readonly #timer = setInterval(() => print(statusLine(this.#scene, this.#seconds()), NEWS_INDENT), 1000);

  constructor(scene: Scene) {
    this.#scene = scene;
    print(title(scene));
  }

  tell(text: string): void {
    print(newsLine({ seconds: this.#seconds(), text }), NEWS_INDENT);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
