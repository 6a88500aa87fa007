/**
 * The page's charts, in the language of browsers.
 *
 * @module
 */

/** Draws lines and bars over time. */
export const CHART_SCRIPT: string = `
const HEIGHT = 176, LEFT = 44, BOTTOM = 20, TOP = 10;

function svg(name, attributes, parent) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  if (parent) parent.append(element);
  return element;
}

/** The least of 1, 2 and 5 times a power of ten that is not below a number. */
function roundUp(number) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, number)));
  for (const step of [1, 2, 5, 10]) if (step * power >= number) return step * power;
}

/** An empty chart as wide as its place, with its scales. A picture to screen readers, which label describes. */
function chart(id, highest, count, interval, label) {
  const top = roundUp(highest), width = $(id).clientWidth || 600;
  const root = svg("svg", { viewBox: "0 0 " + width + " " + HEIGHT, role: "img", "aria-label": label });
  const height = HEIGHT - BOTTOM - TOP;
  const y = (value) => TOP + height * (1 - value / top);
  const x = (index) => LEFT + (width - LEFT) * index / count;
  for (const value of [0, top / 2, top]) {
    svg("path", { class: "axis", d: "M" + LEFT + " " + y(value) + "H" + width }, root);
    if (value % 1 === 0) svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, root).textContent = short(value);
  }
  svg("text", { x: LEFT, y: HEIGHT - 5 }, root).textContent = duration(count * interval) + " ago";
  svg("text", { x: width, y: HEIGHT - 5, "text-anchor": "end" }, root).textContent = "now";
  return { root, x, y, width };
}

function duration(ms) {
  const seconds = Math.round(ms / 1000);
  return seconds < 120 ? seconds + " s" : Math.round(seconds / 60) + " min";
}

function short(number) {
  if (number >= 1e6) return number / 1e6 + "M";
  return number >= 1e4 ? number / 1e3 + "k" : String(number);
}

/** What is open, with the limit if it is near enough to be seen beside it. */
function openChart(history, limit) {
  const values = history.open, highest = Math.max(...values, 1), now = values[values.length - 1];
  const near = limit !== null && limit <= 3 * highest;
  const count = Math.max(1, values.length - 1);
  const label = "Open now: " + now + ". Highest in " + duration(count * history.interval) + ": " + Math.max(...values) +
    (limit === null ? ". No limit on the total." : ". Limit on the total: " + limit + ".");
  const { root, x, y, width } = chart("open-chart", near ? Math.max(highest, limit) : highest, count, history.interval, label);
  const line = values.map((value, i) => (i ? "L" : "M") + x(i).toFixed(1) + " " + y(value).toFixed(1)).join("");
  svg("path", { class: "area", d: line + "L" + x(values.length - 1).toFixed(1) + " " + y(0) + "L" + LEFT + " " + y(0) + "Z" }, root);
  svg("path", { class: "open", d: line }, root);
  if (near) {
    svg("path", { class: "limit", d: "M" + LEFT + " " + y(limit) + "H" + width }, root);
    svg("text", { x: width, y: y(limit) - 4, "text-anchor": "end" }, root).textContent = "maxTotal " + limit;
  }
  return root;
}

/** What is refused, a bar a sample, the reasons on top of each other. */
function refusedChart(history, reasons) {
  const names = reasons.filter((reason) => history.refused[reason]);
  const count = history.open.length;
  const below = new Array(count).fill(0);
  for (const name of names) history.refused[name].forEach((value, i) => below[i] += value);
  const sums = names.map((name) => [name, history.refused[name].reduce((sum, value) => sum + value, 0)]);
  const span = duration(count * history.interval);
  const label = "Refused in " + span + ": " + (sums.map(([name, sum]) => name + " " + sum).join(", ") || "none") + ".";
  const { root, x, y } = chart("refused-chart", Math.max(...below, 1), count, history.interval, label);
  below.fill(0);
  for (const name of names) {
    let bars = "";
    history.refused[name].forEach((value, i) => {
      if (value === 0) return;
      bars += "M" + x(i).toFixed(1) + " " + y(below[i]).toFixed(1) + "V" + y(below[i] + value).toFixed(1) +
        "H" + x(i + 1).toFixed(1) + "V" + y(below[i]).toFixed(1) + "Z";
      below[i] += value;
    });
    svg("path", { class: "c" + reasons.indexOf(name) % 8, d: bars }, root);
  }
  const legend = element("ul", { class: "legend" });
  for (const [name, sum] of sums) {
    const item = element("li", {}, legend);
    const swatch = svg("svg", { viewBox: "0 0 1 1", "aria-hidden": "true" }, item);
    svg("rect", { width: 1, height: 1, class: "c" + reasons.indexOf(name) % 8 }, swatch);
    item.append(name + ": " + sum.toLocaleString());
  }
  if (sums.length === 0) element("li", {}, legend).textContent = "Nothing was refused in " + span + ".";
  return [root, legend];
}
`;
