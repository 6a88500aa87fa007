/**
 * Charts of the results, as SVG.
 *
 * @module
 */

import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

/** What the charts share. */
export const STYLE = {
  background: "white",
  padding: 16,
  config: {
    font: "Helvetica, Arial, sans-serif",
    view: { stroke: null },
    title: { anchor: "start", fontSize: 13, fontWeight: 600, color: "#1c2128", offset: 10 },
    axis: {
      labelFontSize: 11,
      labelColor: "#424a53",
      labelLimit: 0,
      titleFontSize: 11,
      titleFontWeight: 400,
      titleColor: "#57606a",
      domainColor: "#afb8c1",
      tickColor: "#afb8c1",
      gridColor: "#eaeef2",
    },
    legend: { labelFontSize: 11, labelColor: "#424a53", labelLimit: 0, title: null, symbolStrokeWidth: 2.5 },
  },
} as const;

export const OURS = "#0969da";
export const THEIRS = "#8c959f";

/** How wide text is, which vega's types do not tell of. */
interface TextMetrics {
  width(item: { readonly fontSize?: number }, text: unknown): number;
}

// Text would be measured by a canvas, of which there is none. The guess that is made then is too wide by half.
(vega as unknown as { readonly textMetrics: TextMetrics }).textMetrics.width = ({ fontSize = 11 }, text) =>
  `${text}`.length * fontSize * 0.54;

/** Draws a chart. */
export async function svgOf(spec: TopLevelSpec): Promise<string> {
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: "none" });
  return `${await view.toSVG()}\n`;
}
