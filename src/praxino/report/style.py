"""How the page looks, on light and on dark screens, wide and narrow."""

CSS = """
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#1b2330;--soft:#5b6675;--line:#dfe3ea;--accent:#2457c5;
--bar:#b9ccf4;--good:#146c3a;--good-back:#e2f5e9;--bad:#a12a1f;--bad-back:#fdebe8;--mark:#fff4cf;--mark-ink:#6b4e00;
--c0:#2457c5;--c1:#d55e00;--c2:#007a58;--c3:#a8528a;--c4:#9a6a00;--c5:#2f8fc0;--c6:#1b2330}
@media(prefers-color-scheme:dark){:root{--page:#11151b;--card:#191f28;--ink:#e8ebf0;--soft:#9aa6b6;--line:#2d3643;
--accent:#86aaff;--bar:#35507f;--good:#7fdba3;--good-back:#163524;--bad:#ff9d90;--bad-back:#43201c;--mark:#42370f;
--mark-ink:#ffdd7a;--c0:#86aaff;--c1:#ff8f52;--c2:#3fcb9f;--c3:#e79ccb;--c4:#efb73e;--c5:#8fd6ff;--c6:#e8ebf0}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Liberation Sans",sans-serif;overflow-wrap:anywhere}
main,header,nav,footer{max-width:1200px;margin:0 auto;padding:0 24px}
header{padding-top:36px}
h1{font-size:30px;line-height:1.2;margin:0 0 6px}
h2{font-size:21px;margin:44px 0 14px;padding-bottom:6px;border-bottom:2px solid var(--line)}
h3{font-size:16px;margin:0 0 8px}
h4{font-size:13px;margin:0 0 6px;color:var(--soft);font-weight:600}
p{margin:0 0 10px}
small{font-size:12px;color:var(--soft)}
.muted,.note,figcaption{color:var(--soft)}
.note{font-size:14px;margin:0 0 14px}
.eyebrow{color:var(--soft);font-size:14px;margin:0 0 4px}
.lead{font-size:17px;max-width:76ch}
nav ul{display:flex;flex-wrap:wrap;gap:4px 20px;list-style:none;margin:18px 0 0;padding:0;font-size:15px}
a{color:var(--accent)}
a:focus-visible,summary:focus-visible,.scroll:focus-visible,.pan:focus-visible{outline:2px solid var(--accent);
outline-offset:2px}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:12px;margin:20px 0 0}
.facts div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px}
.facts dt{font-size:13px;color:var(--soft)}
.facts dd{margin:0;font-size:23px;font-weight:650;line-height:1.25}
.facts dd small{display:block;font-weight:400;font-size:13px}
.facts,dl{padding:0}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px 18px;margin:0 0 16px}
.problems{border-left:4px solid var(--bad);margin-top:16px}
.problems ul{margin:0;padding-left:20px}
.findings{margin:0 0 14px;padding-left:20px;max-width:84ch}
.beside{display:grid;grid-template-columns:minmax(0,1fr) 270px;gap:28px}
.beside>*{min-width:0}
aside dl{margin:0;font-size:13px}
aside dl div{display:flex;justify-content:space-between;gap:16px;padding:5px 0;border-top:1px solid var(--line)}
dt{color:var(--soft)}
aside dt{overflow-wrap:normal}
aside dd{margin:0;text-align:right}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:7px 10px;border-top:1px solid var(--line);vertical-align:top;font-weight:400}
thead th,thead td{border-top:0;color:var(--soft);font-size:13px;font-weight:600}
.scores,.plain{overflow-wrap:normal}
.plain td:first-child{overflow-wrap:anywhere;min-width:150px}
.plain td:last-child{min-width:170px}
.even{table-layout:fixed}.even thead th:first-child,.even thead td:first-child{width:36%}
.even td,.even td:first-child,.even td:last-child{min-width:0;overflow-wrap:anywhere}
.winner .badge{border-color:currentColor}
.scores td,.scores thead th{text-align:right;min-width:74px;white-space:nowrap}
.scores th[scope=row]{min-width:150px;position:sticky;left:0;background:var(--card)}
.few td,.few thead th{min-width:128px}
.scores td small,.scores th small{display:block;line-height:1.3;font-weight:400}
.scores tr.trained th[scope=row]{font-weight:650}
.scores tr.trained i{background:var(--accent)}
.scores tr.chance{color:var(--soft)}
.scores tr.winner>*,.scores tr.winner th[scope=row]{background:var(--mark)}
.scores tr.winner small{color:inherit}
.bar{display:block;height:4px;margin-top:4px;border-radius:2px;background:var(--line);overflow:hidden}
.bar i{display:block;height:100%;background:var(--bar)}
.badge{display:inline-block;font-size:12px;line-height:1.5;font-weight:600;padding:0 7px;border-radius:20px;
border:1px solid var(--line);color:var(--soft);white-space:nowrap}
.badge.best{background:var(--mark);border-color:currentColor;color:var(--mark-ink)}
.badge.hit{background:var(--good-back);border-color:currentColor;color:var(--good)}
.badge.miss{background:var(--bad-back);border:1px dashed currentColor;color:var(--bad)}
.badge.asked{background:var(--accent);border-color:var(--accent);color:var(--card)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:16px}
.charts .card{margin:0;padding:14px 16px 12px}
figcaption{font-size:13px}
.meaning{font-size:13px;color:var(--soft);line-height:1.4;margin:-4px 0 8px}
.chart{display:block;width:100%;height:auto}
.chart line{stroke:var(--line);stroke-width:1}
.chart text{fill:var(--soft);font-size:11px;text-anchor:middle;font-variant-numeric:tabular-nums}
.chart text.left{text-anchor:end}
.chart polyline{fill:none;stroke:var(--accent);stroke-linejoin:round;vector-effect:non-scaling-stroke}
.chart .raw{stroke-width:1;opacity:.3}
.chart .smooth{stroke-width:2}
.chart circle{fill:var(--accent)}
.c0{--c:var(--c0)}.c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}.c4{--c:var(--c4)}.c5{--c:var(--c5)}
.c6{--c:var(--c6)}
.chart .line{stroke:var(--c);stroke-width:1.75}
.d1 .line{stroke-dasharray:7 4}.d2 .line{stroke-dasharray:2 3}.d3 .line{stroke-dasharray:9 3 2 3}
.strong .line{stroke-width:3}
.plain{--c:var(--soft)}.chart .plain .line{stroke-dasharray:1 4;stroke-width:1.5}
.chart .mark{fill:var(--c);stroke:var(--card);stroke-width:.8}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;list-style:none;margin:6px 0 0;padding:0;font-size:13px;
line-height:1.35}
.legend li{display:flex;align-items:center;gap:7px;min-width:0}
.chart.key{flex:none;width:34px;height:12px}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:24px;margin-top:20px}
.figures.lines{grid-template-columns:repeat(auto-fill,minmax(min(100%,360px),1fr))}
.figures:has(.small){grid-template-columns:repeat(auto-fill,minmax(min(100%,240px),1fr))}
.figures figure{margin:0;min-width:0;max-width:520px}
.figures figure.wide{grid-column:1/-1;max-width:none}
.figures h4{color:var(--ink);font-size:14px}
.figures img{display:block;max-width:100%;height:auto;border-radius:6px}
.pan{overflow-x:auto;max-width:100%}
.figures .pan img{min-width:var(--least)}
.figures .small img{width:100%;max-width:360px;image-rendering:pixelated;border-radius:0}
.figures figcaption{margin-top:6px}
.axis{font-size:12px;color:var(--soft);line-height:1.3}
.axis.across{text-align:center}
.match{display:grid;grid-template-columns:198px minmax(0,1fr);gap:20px;padding:14px}
.match .query{border-right:1px solid var(--line);padding-right:20px}
.clips{display:grid;grid-template-columns:repeat(auto-fill,minmax(142px,1fr));gap:14px;list-style:none;margin:0;padding:0}
.clip{min-width:0}
.head{display:flex;flex-wrap:wrap;column-gap:6px;justify-content:space-between;align-items:center;margin-bottom:6px}
.similarity{white-space:nowrap;font-size:13px;color:var(--soft);font-variant-numeric:tabular-nums}
.strip{display:grid;gap:2px;border-radius:6px;overflow:hidden;background:var(--line)}
.strip.pairs,.strip.row2{grid-template-columns:1fr 1fr}
.strip.row3{grid-template-columns:1fr 1fr 1fr}
.strip picture{display:block}
.strip img{display:block;width:100%;height:100%;object-fit:cover}
.clip.hit .strip{box-shadow:0 0 0 2px var(--good)}
.clip.miss .strip{box-shadow:0 0 0 2px var(--line)}
.gone{display:grid;place-items:center;min-height:56px;padding:4px;font-size:12px;color:var(--soft);text-align:center}
.named{margin-top:5px;font-size:13px;line-height:1.35}
.named b{font-weight:600}
.named b,.named small{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden}
details{margin:0 0 12px;background:var(--card);border:1px solid var(--line);border-radius:10px}
.card details{margin:14px 0 0}
summary{cursor:pointer;padding:11px 16px;font-weight:600}
summary .muted{display:inline-block;font-weight:400;margin-left:6px}
details>*:not(summary){margin:0 16px 14px}
details>.scroll{max-height:460px;overflow-y:auto}
pre{overflow-x:auto;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,"Liberation Mono",monospace;overflow-wrap:normal}
details dl div{display:grid;grid-template-columns:minmax(110px,190px) 1fr;gap:12px;padding:4px 0;font-size:14px}
details dd{margin:0}
footer{color:var(--soft);font-size:13px;padding-top:28px;padding-bottom:36px}
@media(min-width:900px){.figures .chart text{font-size:8.5px}}
@media(max-width:820px){.beside{grid-template-columns:minmax(0,1fr);gap:14px}
.match{grid-template-columns:minmax(0,1fr)}
.match .query{border-right:0;padding-right:0;border-bottom:1px solid var(--line);padding-bottom:14px}
.match .query .clip{max-width:260px}}
@media(max-width:520px){main,header,nav,footer{padding-left:14px;padding-right:14px}
header{padding-top:22px}h1{font-size:25px}.lead{font-size:16px}.card{padding:13px 13px}
.facts{grid-template-columns:1fr 1fr}.facts dd{font-size:20px}
.clips{grid-template-columns:1fr 1fr;gap:14px 10px}
.scores th[scope=row]{min-width:118px}.scores td,.scores thead th,.few td,.few thead th{min-width:64px;padding:7px 6px}}
@media print{body{background:#fff}.card,details,figure{break-inside:avoid}.figures .pan img{min-width:0}}
"""
