/**
 * Reports of tests in JUnit's format, which the test runners of Deno, Bun and Node write alike.
 *
 * @module
 */

import { XMLParser } from "fast-xml-parser";

/** How the tests of a report have gone. */
export interface Tally {
  readonly passed: number;
  /** The names of those that failed. */
  readonly failed: readonly string[];
  readonly skipped: number;
}

/** An element, as the parser shows it: repeated ones are arrays. */
interface Element {
  readonly [name: string]: unknown;
}

/** Counts the tests of a report. */
export function readReport(xml: string): Tally {
  const cases = [...testCases(new XMLParser({ ignoreAttributes: false }).parse(xml))];
  const failed = cases.filter((test) => "failure" in test || "error" in test).map((test) => String(test["@_name"]));
  const skipped = cases.filter((test) => "skipped" in test).length;
  return { passed: cases.length - failed.length - skipped, failed, skipped };
}

function* testCases(element: unknown): Generator<Element> {
  if (typeof element !== "object" || element === null) return;
  for (const [name, value] of Object.entries(element)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (name !== "testcase") yield* testCases(child);
      // Node counts a file without a test for a test of that name.
      else if (typeof child === "object" && !String(child["@_name"]).endsWith("_test.ts")) yield child;
    }
  }
}
