/**
 * What the page does, in the language of browsers.
 *
 * @module
 */

/** Follows the events, and shows the limiter that the address names. */
export const SCRIPT: string = `
const $ = (id) => document.getElementById(id);
const base = location.pathname.replace(/\\/?$/, "/");
let snapshot = null, source = null, again = 0, paused = false;

/** Changes what is within an element, unless the user is at work in it. */
function show(id, ...children) {
  const holder = $(id), active = document.activeElement;
  const label = holder.contains(active) ? active.getAttribute("aria-label") : null;
  holder.replaceChildren(...children);
  // Keyboards and screen readers keep their place.
  if (label) for (const it of holder.querySelectorAll("button, a")) if (it.getAttribute("aria-label") === label) it.focus();
}

function tell(state, text) {
  $("state").className = state;
  if ($("state").textContent !== text) $("state").textContent = text;
}

function current() {
  const named = ({ name }) => "#" + encodeURIComponent(name) === location.hash;
  return snapshot.limiters.find(named) || snapshot.limiters[0];
}

function render() {
  if (snapshot === null) return;
  const { limiters } = snapshot, limiter = current();
  $("overview").hidden = limiters.length < 2;
  if (limiters.length > 1) show("overview-table", ...overview(limiters).childNodes);
  $("limiter").hidden = limiter === undefined;
  if (limiter === undefined) return tell("lost", "There is no limiter any more");
  const { stats, limits, top, history } = limiter;
  document.title = stats.open + " open, " + limiter.name + " - connlimit";
  $("name").textContent = limiter.name;
  const notes = [];
  if (limits.dryRun) notes.push("Dry run: everyone is admitted. Refusals are those that there would have been.");
  if (stats.status && stats.status !== "up") notes.push("The store is " + stats.status + ".");
  $("note").hidden = notes.length === 0;
  $("note").textContent = notes.join(" ");
  show("tiles", ...tiles(stats, limits));
  show("open-chart", openChart(history, limits.maxTotal));
  show("refused-chart", ...refusedChart(history, Object.keys(stats.refusedBy)));
  const unknown = () => table([], [], "This limiter does not tell its clients.");
  show("most-open", top ? openTable(top) : unknown());
  show("most-refused", top ? refusedTable(top) : unknown());
  show("limits", limitsTable(limits));
}

function overview(limiters) {
  const rows = limiters.map(({ name, stats, limits }) => {
    const link = element("a", { href: "#" + encodeURIComponent(name), "aria-label": name });
    link.textContent = name;
    return { cells: [link, stats.open, most(limits.maxTotal), stats.clients, stats.refused], full: stats.open >= (limits.maxTotal ?? Infinity) };
  });
  return table([["Limiter"], ["Open", true], ["Limit", true], ["Clients", true], ["Refused", true]], rows, "");
}

function tiles(stats, limits) {
  const made = [];
  const add = (name, value, small) => {
    const tile = element("div", {});
    element("dt", {}, tile).textContent = name;
    const data = element("dd", {}, tile);
    data.textContent = typeof value === "number" ? value.toLocaleString() : value;
    if (small) element("small", {}, data).textContent = " " + small;
    made.push(tile);
  };
  const sum = (record) => Object.values(record || {}).reduce((sum, value) => sum + value, 0);
  add("Open", stats.open, limits.maxTotal === null ? "" : "of " + limits.maxTotal.toLocaleString());
  if (stats.openEverywhere !== undefined) add("Open everywhere", stats.openEverywhere, stats.instances + " instances");
  add("Clients", stats.clients);
  add("Peak", stats.peak);
  add("Admitted", stats.admitted);
  add("Refused", stats.refused);
  if (sum(stats.wouldRefuse) > 0) add("Would refuse", sum(stats.wouldRefuse));
  if (stats.pending > 0) add("Pending", stats.pending);
  if (sum(stats.timedOut) > 0) add("Timed out", sum(stats.timedOut));
  if (stats.evicted > 0) add("Evicted", stats.evicted);
  if (stats.status !== undefined) add("Store", stats.status);
  return made;
}

function open() {
  clearTimeout(again);
  if (source || paused || document.hidden) return;
  source = new EventSource(base + "events");
  source.onmessage = ({ data }) => {
    snapshot = JSON.parse(data);
    tell("live", "Live");
    render();
  };
  source.onerror = () => {
    tell("lost", "Not connected, trying again");
    // An answer that is no stream ends it for good.
    if (source.readyState === EventSource.CLOSED) {
      close();
      again = setTimeout(open, 5000);
    }
  };
}

function close() {
  clearTimeout(again);
  if (source) source.close();
  source = null;
}

/** Asks what a client would be answered. */
async function ask(client, isKey) {
  $("peer").value = client;
  if (isKey === undefined) isKey = !/^(unix|[\\d.]+(\\/\\d+)?|[\\da-f.]*:[\\da-f:.]*(%[^/]+)?(\\/\\d+)?)$/i.test(client);
  $("is-key").checked = isKey;
  const query = new URLSearchParams({ limiter: current().name, [isKey ? "key" : "peer"]: client });
  let answer;
  try {
    const response = await fetch(base + "explain?" + query);
    answer = await response.json();
  } catch {
    answer = { error: "The server does not answer." };
  }
  if (!answer.error) return show("explanation", explanationOf(answer));
  const failed = element("p", { class: "answer no" });
  failed.textContent = answer.error;
  show("explanation", failed);
}

$("explain").addEventListener("submit", (event) => {
  event.preventDefault();
  if (snapshot && current()) ask($("peer").value, $("is-key").checked);
});
$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", String(paused));
  if (paused) {
    close();
    tell("", "Paused");
  } else open();
});
addEventListener("hashchange", () => {
  $("explanation").replaceChildren();
  render();
});
document.addEventListener("visibilitychange", () => document.hidden ? close() : open());
open();
`;
