"""How the page of the first frame looks, on light and on dark screens, wide and narrow."""

CSS = """
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#1b2330;--soft:#5b6675;--line:#c9cfd9;--accent:#2457c5;
--on-accent:#fff}
@media(prefers-color-scheme:dark){:root{--page:#11151b;--card:#191f28;--ink:#e8ebf0;--soft:#9aa6b6;--line:#3b4655;
--accent:#86aaff;--on-accent:#11151b}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Liberation Sans",sans-serif;overflow-wrap:anywhere}
main{max-width:1400px;margin:0 auto;padding:24px}
h1{font-size:24px;line-height:1.25;margin:0 0 6px}
p{margin:0 0 14px;max-width:84ch}
.soft{color:var(--soft);font-size:14px;margin:8px 0 14px}
#stage{position:relative;width:min(100%,72vh*var(--width)/var(--height),max(640px,1px*var(--width)));
aspect-ratio:var(--width)/var(--height);touch-action:none;user-select:none;-webkit-user-select:none;cursor:crosshair;
overflow:hidden;background:var(--card)}
#stage img{display:block;width:100%;height:100%}
#stage:focus-visible,button:focus-visible,input:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
#box{position:absolute;border:2px solid #ffd60a;box-shadow:0 0 0 1px #000,inset 0 0 0 1px #000;pointer-events:none}
.row{display:flex;flex-wrap:wrap;gap:12px;align-items:end;margin:0 0 14px}
label{font-size:13px;color:var(--soft);display:grid;gap:2px}
input{font:inherit;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:6px;
padding:7px 9px;width:104px}
.words{align-items:center}
output{font:18px/1.4 ui-monospace,SFMono-Regular,Menlo,"Liberation Mono",monospace;background:var(--card);
border:1px solid var(--line);border-radius:6px;padding:8px 12px;min-width:min(100%,320px)}
output.none{color:var(--soft);font-family:inherit;font-size:16px}
button{font:inherit;font-weight:600;min-height:44px;padding:0 20px;border:0;border-radius:6px;cursor:pointer;
background:var(--accent);color:var(--on-accent)}
button:disabled{opacity:.45;cursor:default}
@media(max-width:520px){main{padding:14px}h1{font-size:21px}label{flex:1 1 40%}input{width:100%}}
"""
