/**
 * The chart that shows at one glance what this library costs beside what people use instead.
 *
 * @module
 */

import type { TopLevelSpec } from "vega-lite";
import { OURS, STYLE, THEIRS } from "./chart.ts";
import type { Figure } from "./figures.ts";
import type { Results } from "./results.ts";
import { distinct, isTold, showNumber } from "./text.ts";

/** The works that are shown, with their headings, two in a row. */
const PANELS: Readonly<Record<string, string>> = {
  "accept + release, 10,000 IPv4 clients": "Admit and release a connection, 10,000 clients",
  "refuse, 10,000 IPv4 clients": "Refuse a connection, 10,000 clients",
  "accept + release, 1,000,000 IPv4 clients": "Admit and release, 1 million clients",
  "bytes per client with a connection, 1,000,000 IPv4 clients": "Memory of each of 1 million clients",
  "CPU per admitted connection": "CPU per admitted TCP connection",
  "CPU per refused connection": "CPU per refused TCP connection",
  "established client's echo, p99, 1,000 admitted": "p99 of an open client's echo while 1,000 are admitted",
  "established client's echo, p99, 1,000 refused": "p99 of an open client's echo while 1,000 are refused",
};

const ROW = 20;
const WIDTH = 220;
const LABELS = 235;

/** Room at the right for the figures, by how many times the largest. */
const ROOM = 6;

/** Points on logarithmic axes, ours in colour, each with its figure and its ratio. */
export function overviewChart(results: Results): TopLevelSpec {
  const figures = Object.values(results).flatMap(({ figures }) => figures);
  const panels = Object.entries(PANELS).flatMap(([work, title]) => {
    const shown = figures.filter((figure) => figure.work === work && !figure.by.endsWith(": its part"));
    return shown.length === 0 ? [] : [panel(title, shown)];
  });
  return {
    ...STYLE,
    title: {
      text: "connlimit beside what people use instead",
      subtitle: "Less is better; logarithmic axes. × is to the hand-written map, or to the same server without limits.",
      fontSize: 17,
      subtitleFontSize: 12,
      subtitleColor: "#57606a",
      subtitlePadding: 6,
      offset: 20,
    },
    columns: 2,
    spacing: { row: 28, column: 32 },
    concat: panels,
  } as TopLevelSpec;
}

function panel(title: string, figures: readonly Figure[]): object {
  const values = figures.map(({ by, value, unit, ratio }) => ({
    by,
    value,
    label: `${showNumber(value)} ${unit}${isTold(ratio) ? ` · ${ratio.toFixed(2)} ×` : ""}`,
    colour: by.includes("connlimit") ? OURS : THEIRS,
  }));
  const least = Math.min(...figures.map(({ value }) => value)) / 1.6;
  const most = Math.max(...figures.map(({ value }) => value)) * ROOM;
  return {
    title,
    width: WIDTH,
    height: figures.length * ROW,
    data: { values },
    encoding: {
      y: {
        field: "by",
        type: "nominal",
        sort: distinct(figures.map(({ by }) => by)),
        axis: { title: null, domain: false, ticks: false, labelPadding: 8, minExtent: LABELS },
      },
      x: {
        field: "value",
        type: "quantitative",
        scale: { type: "log", domain: [least, most], nice: false },
        axis: null,
      },
      color: { field: "colour", type: "nominal", scale: null },
    },
    layer: [
      { mark: { type: "rule", strokeWidth: 3, opacity: 0.35 }, encoding: { x2: { datum: least } } },
      { mark: { type: "point", filled: true, size: 70, opacity: 1 } },
      {
        mark: { type: "text", align: "left", dx: 9, dy: 0, fontSize: 11 },
        encoding: { text: { field: "label" } },
      },
    ],
  };
}
