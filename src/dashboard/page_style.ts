/**
 * How the page looks.
 *
 * @module
 */

/** The page's style. */
export const STYLE: string = `
:root {
  --back: #f6f7f9; --card: #fff; --text: #1a1d21; --soft: #565d66; --line: #d5d9de;
  --main: #0b62c4; --limit: #b3261e; --good: #1a7f37; --focus: #0b62c4;
  --c0: #b3261e; --c1: #c9740a; --c2: #7c3aad; --c3: #0b7285; --c4: #5f6b00; --c5: #4b5563; --c6: #a61e6b; --c7: #2a4bb5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14171b; --card: #1d2126; --text: #e8eaed; --soft: #a7afb9; --line: #373d45;
    --main: #6cb0ff; --limit: #ff8a80; --good: #6fce87; --focus: #9ccaff;
    --c0: #ff8a80; --c1: #f2b04a; --c2: #cf9df5; --c3: #5fd0e3; --c4: #c6d34d; --c5: #b3bcc7; --c6: #f58fc6; --c7: #9db4ff;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.45 system-ui, sans-serif; }
header { display: flex; align-items: center; gap: .8rem; padding: .6rem 1rem; background: var(--card); border-bottom: 1px solid var(--line); }
h1 { font-size: 1.1rem; margin: 0; }
h2 { font-size: 1.15rem; margin: .2rem 0 .6rem; overflow-wrap: anywhere; }
h3 { font-size: .95rem; margin: 0 0 .5rem; }
#state { margin: 0; color: var(--soft); flex: 1; }
#state.live { color: var(--good); }
#state.lost { color: var(--limit); }
main { max-width: 76rem; margin: 0 auto; padding: 1rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .8rem; margin-bottom: 1rem; min-width: 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 0 1rem; }
.wide, #most-open, #most-refused, #limits { overflow-x: auto; }
dl#tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .6rem; margin: 0 0 1rem; }
#tiles div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .7rem; }
dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-size: 1.35rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
dd small { font-size: .8rem; color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; font-size: .85rem; color: var(--soft); }
td.number, th.number { text-align: right; white-space: nowrap; }
td.name { overflow-wrap: anywhere; min-width: 6.5rem; font-family: ui-monospace, monospace; font-size: .9rem; }
tr.full td { color: var(--limit); font-weight: 600; }
p.none, .legend, #note { color: var(--soft); margin: .3rem 0; }
svg { display: block; width: 100%; height: 11rem; }
svg text { fill: var(--soft); font-size: 11px; }
svg .axis { stroke: var(--line); fill: none; }
svg .open { stroke: var(--main); stroke-width: 2; fill: none; vector-effect: non-scaling-stroke; }
svg .area { fill: var(--main); opacity: .15; }
svg .limit { stroke: var(--limit); stroke-dasharray: 5 4; fill: none; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; padding: 0; list-style: none; font-size: .85rem; }
.legend svg { display: inline-block; width: .8rem; height: .8rem; margin-right: .3rem; vertical-align: -1px; }
.c0 { fill: var(--c0); } .c1 { fill: var(--c1); } .c2 { fill: var(--c2); } .c3 { fill: var(--c3); }
.c4 { fill: var(--c4); } .c5 { fill: var(--c5); } .c6 { fill: var(--c6); } .c7 { fill: var(--c7); }
form { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; }
input:not([type=checkbox]) { flex: 1 1 10rem; min-width: 0; }
input, button { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--soft); border-radius: .35rem; padding: .3rem .6rem; }
button { cursor: pointer; }
button[aria-pressed=true] { background: var(--text); color: var(--card); }
td button { padding: 0 .4rem; font-size: .85rem; }
a { color: var(--main); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.answer { font-size: 1.05rem; margin: .6rem 0; }
.answer.yes { color: var(--good); } .answer.no { color: var(--limit); }
`;
