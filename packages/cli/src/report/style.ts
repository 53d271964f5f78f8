/** Of a report page: light and dark, narrow screens, and paper. */
export const style = `
:root { --paper: #fff; --ink: #1a1f26; --muted: #4d5561; --rule: #dfe3e8; --sunken: #f3f5f7; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --paper: #12161c; --ink: #eef1f5; --muted: #aeb7c3; --rule: #303846; --sunken: #1b212a; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 Inter, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 64rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.verdict { font-size: 1.1rem; font-weight: 600; }
.scroll { overflow-x: auto; margin-bottom: 1rem; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; } th, .small { color: var(--muted); font-size: .87rem; }
pre { overflow-x: auto; padding: .8rem 1rem; background: var(--sunken); font-size: .87rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.share { display: inline-block; width: 5rem; height: .6rem; background: var(--sunken); print-color-adjust: exact; } .share i { display: block; height: 100%; background: #3b78a8; print-color-adjust: exact; }
.examples { display: flex; flex-wrap: wrap; gap: .8rem; } .examples figure { margin: 0; font-size: .87rem; } .examples img { display: block; width: 6rem; image-rendering: pixelated; border: 1px solid var(--rule); }
.figure svg { max-width: 100%; height: auto; } .dark { display: none; }
@media (prefers-color-scheme: dark) { .light { display: none; } .dark { display: block; } }
@media print { :root { --paper: #fff; --ink: #1a1f26; --muted: #4d5561; --rule: #dfe3e8; --sunken: #f3f5f7; } .light { display: block; } .dark { display: none; } section { break-inside: avoid-page; } main { padding: 0; } }
`;
