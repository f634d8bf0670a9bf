"""The style sheet of the page; its colours are the variables of `unparrot.report.draw.theme`."""

CSS = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);
font:17px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
overflow-wrap:break-word}
main{max-width:1060px;margin:0 auto;padding:0 20px 72px}
.text,header,h2,.note{max-width:700px;margin-left:auto;margin-right:auto}
header{padding:64px 0 8px}
.kicker{margin:0 0 10px;color:var(--accent);font-size:13px;font-weight:650;letter-spacing:.08em;
text-transform:uppercase}
h1,h2,h3,.finding{font-family:ui-serif,"Iowan Old Style",Charter,Georgia,"Times New Roman",serif;
text-wrap:balance}
h1{font-size:clamp(31px,5.4vw,48px);line-height:1.12;margin:0 0 22px;font-weight:700;
letter-spacing:-.012em}
h2{font-size:clamp(24px,3.4vw,31px);line-height:1.2;margin-top:76px;margin-bottom:10px}
h3{font-size:18px;margin:28px 0 8px}
p{margin:0 0 16px}
.finding{font-size:clamp(20px,2.8vw,25px);line-height:1.42;margin:0 0 24px;text-wrap:pretty}
.facts{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:1px;
background:var(--rule);border:1px solid var(--rule);border-radius:10px;overflow:hidden;margin:0}
.facts div{background:var(--paper);padding:14px 16px;display:flex;flex-direction:column-reverse;
justify-content:flex-end}
.facts dt{color:var(--soft);font-size:13px;line-height:1.35;margin-top:4px}
.facts dd{margin:0 0 2px;font-size:25px;font-weight:650;line-height:1.2;
font-variant-numeric:tabular-nums}
.facts dd small{display:block;font-size:13px;font-weight:400;color:var(--soft)}
.note{color:var(--soft);font-size:14.5px;line-height:1.5}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;max-width:1000px;margin:18px auto 4px;padding:0;
list-style:none;font-size:14px;justify-content:center}
.legend svg{width:30px;height:10px;vertical-align:middle;margin-right:6px}
.grid{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:20px 36px;margin-top:14px}
.grid.minor{max-width:860px;margin-left:auto;margin-right:auto}
.grid.single{grid-template-columns:minmax(0,560px);justify-content:center}
.grid.single.wide{grid-template-columns:minmax(0,1fr)}
figure{margin:0;min-width:0}
svg.plot{display:block;width:100%;height:auto;overflow:visible}
svg.plot *{stroke-linejoin:round}
figcaption{color:var(--soft);font-size:14px;line-height:1.45;margin-top:2px}
details{margin:2px 0 8px}
.text-wide{max-width:700px;margin-left:auto;margin-right:auto}
.text-wide:has(details[open]){max-width:none}
summary{cursor:pointer;color:var(--accent);font-size:14px;padding:4px 0}
summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:3px}
details.fold>summary{font-weight:600;font-size:15px;text-align:center}
.scroll{overflow-x:auto;max-height:70vh;border:1px solid var(--rule);border-radius:8px}
table{border-collapse:collapse;font-size:13px;line-height:1.35;width:100%;
font-variant-numeric:tabular-nums}
th,td{padding:6px 10px;text-align:left;white-space:nowrap;border-bottom:1px solid var(--grid)}
thead th{position:sticky;top:0;background:var(--panel);font-weight:650;color:var(--soft)}
tbody tr:last-child td,tbody tr:last-child th{border-bottom:0}
td.absent{color:var(--soft);font-style:italic}
tbody th{font-weight:600}
.cards{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px;margin-top:18px}
.card{border:1px solid var(--rule);border-top:4px solid var(--bad);border-radius:10px;
padding:16px 18px 14px;display:flex;flex-direction:column;gap:10px;min-width:0}
.card.full{border-top-color:var(--good)}
.card.open{border-top-color:var(--parrot)}
.card p{margin:0}
.card .who{display:flex;flex-wrap:wrap;gap:4px 10px;align-items:baseline;font-size:13px;
color:var(--soft)}
.card .who b{color:var(--ink);font-size:14px}
.card .asked{font-size:14px;line-height:1.45;color:var(--soft)}
.card blockquote{margin:0;font:18px/1.5 ui-serif,"Iowan Old Style",Charter,Georgia,serif;
overflow-wrap:anywhere}
.badge{background:var(--panel);border:1px solid var(--rule);border-radius:4px;padding:1px 7px;
font-size:12px;color:var(--soft)}
.badge.held{border-color:var(--accent);color:var(--accent)}
.chips{display:flex;flex-wrap:wrap;gap:6px;margin:auto 0 0;padding:4px 0 0;list-style:none}
.chip{font-size:12.5px;line-height:1.3;padding:3px 9px;border-radius:999px;border:1px solid}
.chip.earned{color:var(--good)}
.chip.missed{color:var(--bad);border-style:dashed}
.chip.unscored{color:var(--soft);border-style:dotted}
.made{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:8px 36px}
.made td{white-space:normal;overflow-wrap:anywhere}
.made th{vertical-align:top}
pre{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-x:auto;
background:var(--panel);border:1px solid var(--rule);border-radius:8px;padding:12px 14px}
code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
footer{max-width:700px;margin:72px auto 0;padding-top:16px;border-top:1px solid var(--rule);
color:var(--soft);font-size:14px}
@media (max-width:760px){
body{font-size:16px}
main{padding:0 16px 48px}
header{padding-top:36px}
h2{margin-top:56px}
.grid,.cards,.made,.grid.single{grid-template-columns:minmax(0,1fr)}
.grid.minor{gap:16px}
.facts{grid-template-columns:repeat(2,minmax(0,1fr))}
}
@media print{details{display:none}.card{break-inside:avoid}}
"""
