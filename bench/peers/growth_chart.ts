/**
 * A chart of how a cost grows.
 *
 * @module
 */

import type { TopLevelSpec } from "vega-lite";
import { STYLE } from "./chart.ts";
import type { Growth } from "./figures.ts";
import { distinct } from "./text.ts";

/** Ours in blues, whoever else is there in other colours. */
const OURS = ["#0969da", "#74b9ff", "#0a3069"];
const THEIRS = ["#57606a", "#d1242f", "#bf8700", "#1a7f37", "#8250df", "#bf3989", "#9a6700"];

/** From the smallest to the largest by more than this, no line would show but the highest. */
const WIDE = 20;

/** A line for each series. */
export function growthChart({ title, x, y, series }: Growth): TopLevelSpec {
  const names = Object.keys(series);
  const values = names.flatMap((name) => series[name]!.map(([x, y]) => ({ x, y, name })));
  const xs = distinct(values.map(({ x }) => x)).sort((one, other) => one - other);
  const ys = values.map(({ y }) => y);
  const [least, most] = [Math.min(...ys), Math.max(...ys)];
  const log = most > WIDE * least;
  return {
    ...STYLE,
    width: 600,
    height: 320,
    title,
    data: { values },
    mark: { type: "line", strokeWidth: 2, point: { size: 36, filled: true } },
    encoding: {
      x: {
        field: "x",
        type: "quantitative",
        scale: { type: xScale(xs), nice: false, padding: 8 },
        axis: { title: x, values: xs, format: ",d", grid: false, labelOverlap: true },
      },
      y: {
        field: "y",
        type: "quantitative",
        scale: log ? { type: "log", domain: [least / 1.4, most * 1.4] } : { zero: true, nice: true },
        axis: {
          title: log ? `${y} (logarithmic)` : y,
          titlePadding: 10,
          format: most < 10 ? ",.1f" : ",d",
          tickCount: log ? 4 : 6,
        },
      },
      color: {
        field: "name",
        type: "nominal",
        sort: null,
        scale: { domain: names, range: coloursOf(names) },
        legend: { orient: "bottom", columns: names.length === 4 ? 2 : 3, offset: 16, symbolType: "stroke" },
      },
    },
  };
}

/** What grows tenfold at each step is drawn so; `symlog` has room for nothing, too. */
function xScale(xs: readonly number[]): "linear" | "log" | "symlog" {
  const tenfold = xs.length > 2 && xs.at(-1)! >= 5 * xs.at(-2)!;
  if (!tenfold) return "linear";
  return xs[0] === 0 ? "symlog" : "log";
}

function coloursOf(names: readonly string[]): string[] {
  const [ours, theirs] = [OURS.values(), THEIRS.values()];
  // Where nobody else is shown, ours need not be told from others.
  const all = names.some((name) => name.includes("connlimit")) ? undefined : [OURS[0]!, ...THEIRS.slice(1)].values();
  return names.map((name) => (all ?? (name.includes("connlimit") ? ours : theirs)).next().value ?? "black");
}
