"""The dossier's one style sheet: readable on a phone and a desk, and on paper."""

CSS = """
:root { --ink:#1c2430; --soft:#4d5866; --line:#d5dae1; --paper:#fff; --wash:#f5f7fa;
  --pass:#1a7f4b; --fail:#b3261e; --open:#8a5700; --later:#1f5fa8; }
* { box-sizing:border-box }
html { -webkit-text-size-adjust:100% }
body { margin:0; color:var(--ink); background:var(--paper); font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
  "Helvetica Neue",Arial,sans-serif; }
header,nav,main,footer { max-width:62rem; margin:0 auto; padding:0 1.25rem }
a { color:#174f8f } a:focus-visible,[tabindex]:focus-visible { outline:3px solid #174f8f; outline-offset:2px }
.skip { position:absolute; left:-99rem }
.skip:focus { left:1rem; top:1rem; background:#fff; padding:.5rem 1rem; z-index:2 }
h1 { font-size:1.9rem; line-height:1.2; margin:.2rem 0 .4rem } h2 { font-size:1.35rem; margin:2.6rem 0 .6rem;
  padding-top:.9rem; border-top:1px solid var(--line) } h3 { font-size:1.05rem; margin:1.5rem 0 .4rem }
p { margin:.4rem 0 .8rem; max-width:46rem } .soft { color:var(--soft) } .small { font-size:.875rem }
header { padding-top:2rem }
.brand { letter-spacing:.14em; text-transform:uppercase; font-size:.8rem; color:var(--soft) }
code,.mono { font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace; font-size:.9em;
overflow-wrap:anywhere }
pre { background:var(--wash); border:1px solid var(--line); border-radius:6px; padding:.7rem .9rem;
white-space:pre-wrap;
  overflow-wrap:anywhere; margin:.4rem 0 1rem }
nav { margin-top:1rem }
nav ul { list-style:none; display:flex; flex-wrap:wrap; gap:.3rem 1.1rem; padding:0; margin:0 }
.verdict { border:2px solid; border-radius:10px; padding:1rem 1.2rem; margin:1.1rem 0; background:var(--wash) }
.verdict p:last-child { margin-bottom:0 } .verdict strong.big { font-size:1.35rem; display:block; line-height:1.3 }
.v-pass { color:var(--pass) } .v-fail { color:var(--fail) } .v-inconclusive { color:var(--open) }
.v-at_release { color:var(--later) }
.verdict.v-pass,.verdict.v-fail,.verdict.v-inconclusive { border-color:currentColor }
.verdict > * { color:var(--ink) } .verdict strong.big { color:inherit }
.mark { white-space:nowrap; font-weight:600 }
.facts { display:grid; grid-template-columns:repeat(auto-fit,minmax(8.6rem,1fr)); gap:.8rem 1.4rem; margin:1rem 0 }
.facts div { border-left:3px solid var(--line); padding-left:.7rem } .facts dt { font-size:.8rem; color:var(--soft) }
.facts.settings { grid-template-columns:repeat(auto-fill,minmax(8.8rem,1fr)); gap:.5rem 1.2rem }
.facts.settings dd { font-weight:400 } .facts dd { margin:0; font-weight:600; overflow-wrap:anywhere }
.block { border-left:4px solid; padding:.1rem 0 .1rem .9rem; margin:.9rem 0 } .block > * { color:var(--ink) }
.block h3 { margin:.1rem 0 .2rem; color:inherit } .block p { margin:.15rem 0 }
.scroll { overflow-x:auto; margin:.6rem 0 1.2rem } .scroll:focus-visible { outline-offset:-2px }
table { border-collapse:collapse; width:100%; font-size:.92rem }
caption { text-align:left; color:var(--soft); padding:.2rem 0 .5rem }
th,td { text-align:left; vertical-align:top; padding:.5rem .7rem .5rem 0; border-bottom:1px solid var(--line) }
thead th { font-size:.8rem; color:var(--soft); font-weight:600; border-bottom:2px solid var(--line) }
td.n,th.n { text-align:right; font-variant-numeric:tabular-nums; white-space:nowrap }
tbody th { font-weight:600 } .tags { display:block; color:var(--soft); font-size:.78rem; font-weight:400 }
.picture { display:block; width:100%; height:auto; margin:.6rem 0 1rem }
.picture text { font:12px system-ui,sans-serif }
table.narrow { width:auto; min-width:min(26rem,100%) }
.bar { display:inline-block; height:.7em; background:#9bbce0; margin-left:.7rem; vertical-align:baseline }
.threat { padding:.2rem 0 .6rem; border-bottom:1px solid var(--line) }
.threat dl { display:grid; grid-template-columns:8.5rem 1fr; gap:.15rem 1rem; margin:.3rem 0 .6rem }
.threat dt { color:var(--soft) }
.threat dd { margin:0 } footer { padding:2rem 1.25rem 3rem; color:var(--soft); font-size:.875rem }
@media (max-width:40rem) {
  body { font-size:15px } h1 { font-size:1.5rem } .threat dl { grid-template-columns:1fr }
  .threat dt { margin-top:.4rem }
  table.stack,table.stack caption,table.wide,table.wide caption { display:block }
  :is(table.stack,table.wide) thead { position:absolute; left:-99rem }
  :is(table.stack,table.wide) :is(tbody,tr,th,td) { display:block; width:100% }
  :is(table.stack,table.wide) tr { border-bottom:1px solid var(--line); padding:.6rem 0 }
  :is(table.stack,table.wide) :is(td,th) { border:0; padding:.1rem 0; text-align:left }
  :is(table.stack,table.wide) td[data-label]::before { content:attr(data-label) ": "; color:var(--soft) }
  table.wide td { display:inline-block; width:auto; padding-right:1rem }
}
@page { margin:16mm 14mm }
@media print {
  body { font-size:10pt; line-height:1.4 } table { font-size:8.5pt } th,td { padding:.25rem .5rem .25rem 0 }
  header,nav,main,footer { max-width:none; padding:0 } nav,.skip { display:none }
  thead th,.tags,.facts dt { font-size:7.5pt } .facts { gap:.4rem 1rem } h1 { font-size:16pt } h2 { font-size:13pt }
  .scroll { overflow:visible } h2 { break-after:avoid } h3,caption { break-after:avoid }
  tr,.block,.threat,.picture { break-inside:avoid }
  a { color:inherit; text-decoration:none } .verdict,pre { background:none } * { print-color-adjust:exact }
  .picture { min-width:0 !important }
}
"""
