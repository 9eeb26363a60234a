// The page: what is chosen follows the address (#row=12), so that the browser's way back works.
"use strict";

(async () => {
  const { make, byId, counted, between, apart, swatch } = Praxino;
  let source;
  try {
    source = await Praxino.openSource();
  } catch (error) {
    document.querySelector("main").replaceChildren(
      make("p", { class: "card problems", role: "alert" }, `The index cannot be shown: ${error.message}`));
    return;
  }
  const { about } = source;
  const many = source.owners.length;
  let row = null;
  let asked = null; // the last query: {name, hits, line}
  let lit = null;
  let by = "groups";

  const map = new Praxino.ClipMap(source, { select: (chosen) => go(chosen), hover: tip });
  const panel = new Praxino.Panel(source, {
    go, tab: (name) => panel.tab(name), light, back: () => history.back(),
    point: (hovered) => map.plot?.hover(hovered === null ? -1 : hovered, { preventEvent: true }),
  });
  const search = Praxino.searching(source, (videos, firsts, rows) => {
    map.filter(rows);
    panel.found(videos, firsts, rows ? rows.length : 0);
    byId("said").textContent = rows ? `${counted(rows.length, "clip")} of ${many.toLocaleString("en")} shown` : "";
  });
  heads();
  legend();
  keys();
  if (about.query) Praxino.queries({ begun, progress: (words, share) => panel.progress(words, share), done, failed });
  window.addEventListener("hashchange", follow);
  await map.open();
  follow();

  function heads() {
    document.title = `${about.name} · praxino browse`;
    byId("name").textContent = about.name;
    const left = about.failed_count ? ` · ${counted(about.failed_count, "video")} not read` : "";
    const gone = about.missing_count ? ` · ${counted(about.missing_count, "video")} gone or damaged` : "";
    byId("facts").textContent = `${counted(many, "clip")} of ${counted(about.videos.length, "video")}${left}${gone} · encoder ${about.encoder}, view ${about.view}`;
    const thinned = many > 60000 ? " While the map moves, a fixed part of the clips is drawn." : "";
    byId("caption").textContent = `${about.map} map. Near: alike for the encoder. Two dimensions show only a shadow of the distances; similarities are exact.${thinned}`;
    byId("map").setAttribute("aria-label", `Map of ${counted(many, "clip")}; the lists beside it hold the same clips`);
    byId("colours").hidden = !about.labels.length;
    byId("colours").addEventListener("change", (event) => {
      by = event.target.value;
      map.colourBy(by);
      legend();
    });
    byId("zoom-in").addEventListener("click", () => map.zoom(1.6));
    byId("zoom-out").addEventListener("click", () => map.zoom(1 / 1.6));
    byId("zoom-all").addEventListener("click", () => map.all());
    byId("help-button").addEventListener("click", () => byId("help").showModal());
  }

  function legend() {
    const names = by === "labels" ? about.labels : about.groups.map((_, number) => `Group ${number + 1}`);
    const chips = names.map((name, number) => {
      const dot = make("i", { class: "dot", "aria-hidden": "true" });
      dot.style.background = swatch(number);
      const own = Boolean(lit && lit.by === by && lit.number === number);
      return make("li", {}, make("button", { type: "button", "aria-pressed": String(own), on: { click: () => light({ by, number }) } }, dot, name));
    });
    byId("legend").replaceChildren(...chips);
  }

  /** Highlights a group or a label; the same once more ends it. */
  function light(wanted) {
    lit = wanted && lit && wanted.by === lit.by && wanted.number === lit.number ? null : wanted;
    map.light(lit);
    panel.light(lit);
    [...byId("legend").querySelectorAll("button")].forEach((chip, number) =>
      chip.setAttribute("aria-pressed", String(Boolean(lit && lit.by === by && lit.number === number))));
    const name = lit && (lit.by === "labels" ? about.labels[lit.number] : `Group ${lit.number + 1}`);
    byId("said").textContent = lit ? `${name} is highlighted; Esc shows all` : "";
  }

  function go(chosen) {
    if (location.hash === `#row=${chosen}`) follow();
    else location.hash = `row=${chosen}`;
  }

  /** Shows what the address says. */
  function follow() {
    const found = /^#row=(\d+)$/.exec(location.hash);
    tip(null);
    if (found && Number(found[1]) < many) return show(Number(found[1]));
    row = null;
    if (location.hash === "#query" && asked) return answer();
    map.select(null, []);
    panel.empty();
    panel.tab("groups");
    if (found) byId("said").textContent = `There is no clip ${found[1]}: the index has ${counted(many, "clip")}.`;
  }

  async function show(chosen) {
    row = chosen;
    panel.clip(row);
    panel.tab("clip");
    panel.waiting();
    map.select(row, []);
    map.reveal(row);
    try {
      const hits = await source.neighbours(chosen);
      if (row !== chosen) return;
      panel.hits(hits, "Most like it", source.clip(chosen).video);
      map.select(row, hits);
    } catch (error) {
      if (row === chosen) panel.failed(error.message);
    }
  }

  function begun(name) {
    asked = { name, hits: null, line: "" };
    if (location.hash === "#query") follow();
    else location.hash = "query";
    if (row !== null) follow();
  }

  function done(hits, clips) {
    asked = { ...asked, hits, clips };
    if (location.hash === "#query") answer();
  }

  function failed(line) {
    asked = { ...asked, line };
    if (location.hash === "#query") answer();
  }

  function answer() {
    panel.query(asked.name);
    panel.tab("clip");
    if (asked.line) panel.failed(asked.line);
    else if (asked.hits) panel.hits(asked.hits, `Most like it among ${counted(asked.clips, "clip")}`);
    else panel.progress("The file is read …");
    map.select(null, asked.hits || []);
  }

  function tip(hovered, place) {
    const box = byId("tip");
    box.hidden = hovered === null || !place;
    if (box.hidden) return;
    const clip = source.clip(hovered);
    const { name } = apart(clip.id);
    const label = clip.label >= 0 ? ` · ${about.labels[clip.label]}` : "";
    box.replaceChildren(Praxino.frame(source, hovered, false), make("b", {}, ...Praxino.breakable(name)), make("small", {}, between(clip.start, clip.end) + label));
    const { clientWidth, clientHeight } = byId("stage");
    const left = Math.min(Math.max(8, place[0] + 14), clientWidth - 188);
    const top = place[1] + 14 + 190 > clientHeight ? Math.max(8, place[1] - 190) : place[1] + 14;
    box.style.transform = `translate(${left}px, ${top}px)`;
  }

  function keys() {
    const rows = [["arrow keys", "through neighbours or files"], ["Enter", "goes to the one in focus"], ["Backspace, Alt-Left", "back"],
      ["Space", "plays and pauses"], ["/", "the search box"], ["+  -  0", "zoom, show all"], ["Esc", "ends a search or a highlight"], ["?", "these keys"]];
    byId("help").replaceChildren(
      make("h2", {}, "Keys"),
      make("dl", {}, ...rows.map(([key, what]) => make("div", {}, make("dt", {}, key), make("dd", {}, what)))),
      make("form", { method: "dialog" }, make("button", {}, "Close")));
    document.addEventListener("keydown", pressed);
    byId("find").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && search.first() !== null) go(search.first());
    });
  }

  function pressed(event) {
    if (event.key === "Escape" && !byId("help").open) return escaped();
    if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
    if (event.target.closest("input, textarea, select, video[controls], [role=tablist]")) return;
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const act = {
      "/": () => byId("find").focus(), "?": () => byId("help").showModal(), Backspace: () => history.back(),
      "+": () => map.zoom(1.6), "=": () => map.zoom(1.6), "-": () => map.zoom(1 / 1.6), 0: () => map.all(),
      ArrowDown: () => move(1, true), ArrowUp: () => move(-1, true),
      ...(step ? { [event.key]: () => move(step, false) } : {}),
      ...(event.target.closest("button:not(.hit), summary, a") ? {} : { " ": () => panel.toggle() }),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  function escaped() {
    if (byId("find").value) search.clear();
    else if (lit) light(null);
    else byId("find").blur();
  }

  /** Moves the focus through the hits: by one, or by a line of them. */
  function move(step, line) {
    const hits = [...byId("panel").querySelectorAll(".hit")].filter((one) => one.offsetParent);
    if (!hits.length) return;
    const top = (one) => Math.round(one.getBoundingClientRect().top);
    const now = hits.indexOf(document.activeElement);
    const wide = line ? Math.max(1, hits.filter((one) => top(one) === top(hits[0])).length) : 1;
    const next = now < 0 ? 0 : Math.min(Math.max(0, now + step * wide), hits.length - 1);
    hits[next].focus();
  }
})();
