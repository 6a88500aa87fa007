/**
 * The page of a dashboard, whole in one response. It is the same for all: what it shows comes by events.
 *
 * @module
 */

import { CHART_SCRIPT } from "./page_chart.ts";
import { SCRIPT } from "./page_script.ts";
import { STYLE } from "./page_style.ts";
import { TABLES_SCRIPT } from "./page_tables.ts";

/** The page, and the policy under which browsers run its style and its script, and nothing else. */
export interface Page {
  readonly html: string;
  readonly policy: string;
}

let made: Promise<Page> | undefined;

/** Returns the page. It is made once. */
export function page(): Promise<Page> {
  return made ??= make();
}

async function make(): Promise<Page> {
  const script = `"use strict";${CHART_SCRIPT}${TABLES_SCRIPT}${SCRIPT}`;
  const policy = [
    "default-src 'none'",
    `style-src '${await hash(STYLE)}'`,
    `script-src '${await hash(script)}'`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return { html: html(script), policy };
}

/** The source of a style or a script, as a policy names it. */
async function hash(source: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(source));
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
}

function html(script: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>connlimit</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>connlimit</h1>
<p id="state" role="status">Connecting</p>
<button id="pause" type="button" aria-pressed="false">Pause</button>
</header>
<main>
<noscript><p>This page needs JavaScript. <a href="stats.json">stats.json</a> has what it shows.</p></noscript>
<section id="overview" hidden aria-labelledby="overview-title">
<h2 id="overview-title">Limiters</h2>
<div class="wide" tabindex="0" role="region" aria-labelledby="overview-title"><table id="overview-table"></table></div>
</section>
<div id="limiter" hidden>
<h2 id="name"></h2>
<p id="note" hidden></p>
<dl id="tiles"></dl>
<div class="pair">
<section aria-labelledby="open-title"><h3 id="open-title">Open connections</h3><div id="open-chart"></div></section>
<section aria-labelledby="refused-title"><h3 id="refused-title">Refused connections</h3><div id="refused-chart"></div></section>
</div>
<div class="pair">
<section aria-labelledby="most-title"><h3 id="most-title">Most open</h3><div id="most-open"></div></section>
<section aria-labelledby="lately-title"><h3 id="lately-title">Refused most in the last two minutes</h3><div id="most-refused"></div></section>
</div>
<div class="pair">
<section aria-labelledby="explain-title">
<h3 id="explain-title">Why is a client refused?</h3>
<form id="explain">
<label for="peer">Address or key</label>
<input id="peer" name="peer" autocomplete="off" autocapitalize="off" spellcheck="false" required>
<label><input id="is-key" type="checkbox"> key</label>
<button>Explain</button>
</form>
<div id="explanation" role="status"></div>
</section>
<section aria-labelledby="limits-title"><h3 id="limits-title">Limits</h3><div id="limits"></div></section>
</div>
</div>
</main>
<script>${script}</script>
</body>
</html>
`;
}
