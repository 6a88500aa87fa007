/**
 * The page's tables, in the language of browsers. Text is only ever set as text.
 *
 * @module
 */

/** Builds elements and tables. */
export const TABLES_SCRIPT: string = `
function element(name, attributes, parent) {
  const made = document.createElement(name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (parent) parent.append(made);
  return made;
}

/** A table. A column is its title and, for numbers, true. A cell is a text, a number or an element. */
function table(columns, rows, none) {
  if (rows.length === 0) {
    const empty = element("p", { class: "none" });
    empty.textContent = none;
    return empty;
  }
  const made = element("table", {});
  const head = element("tr", {}, element("thead", {}, made));
  for (const [title, isNumber] of columns) {
    element("th", isNumber ? { scope: "col", class: "number" } : { scope: "col" }, head).textContent = title;
  }
  const body = element("tbody", {}, made);
  for (const { cells, full } of rows) {
    const row = element("tr", full ? { class: "full" } : {}, body);
    cells.forEach((cell, i) => {
      const data = element("td", { class: columns[i][1] ? "number" : i === 0 ? "name" : "" }, row);
      if (cell instanceof Node) data.append(cell);
      else data.textContent = typeof cell === "number" ? cell.toLocaleString() : cell;
    });
  }
  return made;
}

const most = (max) => max === null ? "no limit" : max;

/** Of a name that was cut or escaped, nothing can be asked. */
function explainButton(client) {
  if (/[…\\\\]/.test(client)) return "";
  const button = element("button", { type: "button", "aria-label": "Explain " + client });
  button.textContent = "Why?";
  button.addEventListener("click", () => ask(client));
  return button;
}

function openTable(top) {
  const rows = top.open.map(({ client, open, max }) => (
    { cells: [client, open, most(max), explainButton(client)], full: max !== null && open >= max }
  ));
  return table([["Client"], ["Open", true], ["Limit", true], [""]], rows, "Nobody has a connection open.");
}

function refusedTable(top) {
  const rows = top.refused.map(({ client, refused, error, reason }) => (
    { cells: [client, error ? refused + " to " + (refused + error) : refused, reason, explainButton(client)] }
  ));
  return table([["Client"], ["Refused", true], ["Last reason"], [""]], rows, "Nobody was refused.");
}

/** Limits in words: each option that is set, with its value. */
function limitsTable(limits) {
  const rows = [];
  const add = (name, value) => rows.push({ cells: [name, value] });
  add("maxPerClient", String(most(limits.maxPerClient)));
  add("maxTotal", String(most(limits.maxTotal)));
  add("ipv4Prefix, ipv6Prefix", "/" + limits.ipv4Prefix + ", /" + limits.ipv6Prefix);
  for (const { ipv4Prefix, ipv6Prefix, max, rate } of limits.aggregates || []) {
    const prefixes = [ipv4Prefix, ipv6Prefix].filter((prefix) => prefix !== undefined).map((prefix) => "/" + prefix);
    add("aggregate " + prefixes.join(", "), most(max) + (rate ? ", " + words(rate) : ""));
  }
  for (const name of ["rate", "fairShare"]) if (limits[name]) add(name, words(limits[name]));
  if (limits.dryRun) add("dryRun", "true");
  const networks = Object.entries(limits.networks || {});
  for (const [network, rule] of networks) add(network, words(rule));
  if (limits.networkCount > networks.length) add("networks", (limits.networkCount - networks.length) + " more rules");
  return table([["Option"], ["Value"]], rows, "");
}

function words(value) {
  if (value === null) return "no limit";
  if (typeof value !== "object") return String(value);
  return Object.entries(value).map(([key, part]) => key + " " + words(part)).join(", ");
}

function explanationOf(explanation) {
  const made = document.createDocumentFragment();
  const { admitted, reason, wouldRefuse, client, found } = explanation;
  const answer = element("p", { class: "answer " + (admitted ? "yes" : "no") }, made);
  answer.textContent = admitted
    ? wouldRefuse ? "Admitted by the dry run. Without it: refused, reason " + wouldRefuse + "." : "Would be admitted."
    : "Would be refused, reason " + reason + ".";
  if (client !== null) {
    let how = "The client is " + client + ", found by " + found.by + ".";
    if (found.prefix !== null) how += " Its prefix is /" + found.prefix + ".";
    if (found.mapped) how += " The address is an IPv4 address in IPv6 form.";
    if (found.rule) how += " The rule for " + found.rule.network + " holds.";
    element("p", {}, made).textContent = how;
  }
  const everywhere = explanation.levels.some((level) => typeof level.openEverywhere === "number");
  const rows = explanation.levels.map(({ level, name, open, openEverywhere, max, room }) => ({
    cells: [level, name, open, ...everywhere ? [openEverywhere == null ? "?" : openEverywhere] : [], most(max), room ? "yes" : "no"],
    full: !room,
  }));
  const columns = [["Level"], ["Name"], ["Open", true], ...everywhere ? [["Everywhere", true]] : [], ["Limit", true], ["Room"]];
  if (rows.length > 0) {
    const wide = element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Levels" }, made);
    wide.append(table(columns, rows, ""));
  }
  return made;
}
`;
