/**
 * Figures, as the measurements pass them to the report.
 *
 * @module
 */

/** One measured figure. */
export interface Figure {
  /** What was done, such as "accept + release, 10,000 clients". Figures of the same work stand side by side. */
  readonly work: string;
  /** By what it was done, such as "connlimit" or "HAProxy". */
  readonly by: string;
  /** The median of the rounds. */
  readonly value: number;
  readonly unit: string;
  /** The median, over the rounds, of this figure to the reference's in the same round; the reference has 1. `NaN` says nothing. */
  readonly ratio: number;
}

/** How a cost grows. */
export interface Growth {
  readonly title: string;
  /** What grows, such as "clients". */
  readonly x: string;
  /** What is measured, such as "ns per accept + release". */
  readonly y: string;
  /** By name, the measured points in the order of x. */
  readonly series: Readonly<Record<string, readonly (readonly [x: number, y: number])[]>>;
}
