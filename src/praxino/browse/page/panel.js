// What is beside the map: the clip that plays, what is near it, and the groups.
"use strict";

(() => {
  const { make, byId, counted, between, apart, breakable, frame, swatch } = Praxino;
  const IN_STRIP = 4; // clips of a group that is not highlighted

  class Panel {
    constructor(source, on) {
      this.source = source;
      this.on = on;
      this.lit = null;
      this.tabs = ["clip", "groups"].map((name) =>
        make("button", {
          type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `page-${name}`, on: { click: () => on.tab(name) },
        }, name === "clip" ? "Clip" : `Groups (${source.about.groups.length})`),
      );
      const bar = make("div", { role: "tablist", class: "tabs", "aria-label": "What is shown" }, ...this.tabs);
      this.files = make("section", { class: "files", hidden: true, "aria-label": "Files that the search finds" });
      this.pages = ["clip", "groups"].map((name) =>
        make("div", { role: "tabpanel", id: `page-${name}`, "aria-labelledby": `tab-${name}`, class: name }),
      );
      byId("panel").append(this.files, bar, ...this.pages);
      bar.addEventListener("keydown", (event) => this.arrows(event));
      this.video = this.player();
      this.empty();
      this.buildGroups();
      this.tab("groups");
    }

    arrows(event) {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      event.preventDefault();
      event.stopPropagation();
      const other = this.tabs[0].getAttribute("aria-selected") === "true" ? 1 : 0;
      this.on.tab(["clip", "groups"][other]);
      this.tabs[other].focus();
    }

    tab(name) {
      ["clip", "groups"].forEach((one, place) => {
        this.tabs[place].setAttribute("aria-selected", String(one === name));
        this.tabs[place].tabIndex = one === name ? 0 : -1;
        this.pages[place].hidden = one !== name;
      });
      if (name !== "clip") this.video.pause();
    }

    player() {
      const video = make("video", { muted: true, loop: true, playsInline: true, preload: "auto", "aria-label": "the moment" });
      video.setAttribute("muted", "");
      video.addEventListener("timeupdate", () => {
        if (this.stretch && (video.currentTime >= this.stretch[1] || video.currentTime < this.stretch[0] - 0.5)) {
          video.currentTime = this.stretch[0];
        }
      });
      video.addEventListener("click", () => this.toggle());
      video.addEventListener("error", () => video.getAttribute("src") && this.note("This moment cannot be played."));
      for (const what of ["play", "pause"]) video.addEventListener(what, () => this.said());
      return video;
    }

    said() {
      if (!this.button) return;
      this.button.textContent = this.video.paused ? "Play" : "Pause";
    }

    toggle() {
      if (!this.video.getAttribute("src")) return;
      if (this.video.paused) this.video.play().catch(() => {});
      else this.video.pause();
    }

    note(text) {
      if (!this.noted) return;
      this.noted.textContent = text;
      this.noted.hidden = !text;
      this.button.disabled = Boolean(text);
      // Without a video its frame stands where it would play.
      if (text) this.video.replaceWith(frame(this.source, this.row, false));
    }

    empty() {
      this.tabs[0].textContent = "Clip";
      this.pages[0].replaceChildren(
        make("p", { class: "empty" }, "Nothing is chosen yet. Click a point of the map or a clip of a group: it plays here, and what is most like it stands below."),
      );
    }

    /** Shows a clip; its neighbours come by `hits`. */
    clip(row) {
      const { source } = this;
      const clip = source.clip(row);
      const { name, folder } = apart(clip.id);
      this.row = row;
      this.tabs[0].textContent = "Clip";
      this.noted = make("p", { class: "note", role: "alert", hidden: true });
      this.button = make("button", { type: "button", on: { click: () => this.toggle() } }, "Play");
      const badges = [this.badge("groups", clip.group, `Group ${clip.group + 1}`)];
      if (clip.label >= 0) badges.push(this.badge("labels", clip.label, source.about.labels[clip.label]));
      this.around = make("span");
      this.list = make("div");
      this.pages[0].replaceChildren(
        make("div", { class: "player" }, this.video),
        make("div", { class: "named" },
          make("h2", { title: clip.id }, ...breakable(name)),
          make("p", { class: "muted" }, folder ? `${folder} · ` : "", between(clip.start, clip.end), this.around),
          make("p", { class: "badges" }, ...badges)),
        make("div", { class: "acts" }, this.button,
          make("button", { type: "button", on: { click: () => this.on.back() } }, "Back")),
        this.noted,
        this.list,
      );
      this.load(row);
    }

    async load(row) {
      this.video.removeAttribute("src");
      this.video.poster = this.source.frame(row);
      this.stretch = null;
      let moment;
      try {
        moment = await this.source.moment(row);
      } catch (error) {
        moment = { source: "", note: error.message };
      }
      if (this.row !== row) return;
      if (moment.note || !moment.source) return this.note(`No moving picture: ${moment.note}`);
      const part = /#t=([\d.]+),([\d.]+)$/.exec(moment.source);
      this.stretch = part ? [Number(part[1]), Number(part[2])] : null;
      this.around.textContent = part ? "" : " · shown with a second around it";
      // Without the end, at which a browser would stop: it begins anew there.
      this.video.src = part ? moment.source.replace(/,[^,]*$/, "") : moment.source;
      this.said();
      if (!Praxino.still()) this.video.play().catch(() => {});
    }

    badge(by, number, words) {
      return make("button", { type: "button", class: "badge", title: "Highlight on the map",
        on: { click: () => this.on.light({ by, number }) } },
        this.dot(by, number), words);
    }

    dot(by, number) {
      const dot = make("i", { class: "dot", "aria-hidden": "true" });
      dot.style.background = swatch(number);
      dot.dataset.by = by;
      return dot;
    }

    waiting() {
      this.list?.replaceChildren(make("p", { class: "note" }, "Looking for what is like it …"));
    }

    failed(words) {
      this.list?.replaceChildren(make("p", { class: "card problems", role: "alert" }, words));
    }

    /** What is near, the nearest first: of a clip in other videos, and after them in its own. */
    hits(hits, heading, own) {
      if (!hits.length) return this.list.replaceChildren(make("h3", {}, "Nothing else is in the index."));
      const ranked = hits.map((hit, place) => [hit, place + 1]);
      const part = (said, some) => some.length ? [
        make("h3", {}, said),
        make("ol", { class: "hits" }, ...some.map(([hit, rank]) => make("li", {}, this.hit(hit, rank)))),
      ] : [];
      this.list.replaceChildren(
        ...part(own === undefined ? heading : `${heading}, in other videos`, ranked.filter(([hit]) => hit.video !== own)),
        ...part(`${heading}, in this video`, ranked.filter(([hit]) => hit.video === own)),
      );
    }

    hit(hit, rank) {
      const { id } = this.source.about.videos[hit.video];
      const { name } = apart(id);
      const alike = hit.similarity === undefined ? "" : hit.similarity.toFixed(3);
      const words = `${rank ? `${rank}, ` : ""}${id}, ${between(hit.start, hit.end)}${alike ? `, similarity ${alike}` : ""}`;
      return make("button", {
        type: "button", class: "hit", title: id, "data-row": hit.row, "aria-label": words,
        on: this.leading(hit.row),
      },
      frame(this.source, hit.row),
      make("span", { class: "over" }, rank ? make("b", {}, String(rank)) : null, make("span", {}, alike)),
      make("span", { class: "name" }, ...breakable(name)),
      make("small", {}, between(hit.start, hit.end)));
    }

    /** What a picture of a clip does: a click goes to it, and before that its point is shown. */
    leading(row) {
      const [show, hide] = [row, null].map((one) => () => this.on.point(one));
      return { click: () => this.on.go(row), mouseenter: show, mouseleave: hide, focus: show, blur: hide };
    }

    /** A query from outside: its hits take the place of a clip and its neighbours. */
    query(name) {
      this.video.pause();
      this.row = null;
      this.noted = null;
      this.tabs[0].textContent = "Query";
      this.list = make("div");
      this.asked = make("div", { class: "asked" });
      this.pages[0].replaceChildren(
        make("div", { class: "named" }, make("p", { class: "muted" }, "Searched with the file"), make("h2", {}, name)),
        this.asked, this.list);
    }

    /** How far a query is; a share from 0 to 1, or undefined where it is not known. */
    progress(words, share) {
      const bar = make("progress", { max: 1, "aria-label": words });
      if (share !== undefined) bar.value = share;
      this.asked.replaceChildren(...(words ? [make("p", { class: "note", role: "status" }, words), bar] : []));
    }

    buildGroups() {
      const { about } = this.source;
      const most = this.labelsOfGroups();
      this.strips = about.groups.map((group, number) => {
        const head = make("button", { type: "button", class: "group", "aria-pressed": "false",
          on: { click: () => this.on.light({ by: "groups", number }) } },
        this.dot("groups", number), make("b", {}, `Group ${number + 1}`),
        make("span", { class: "muted" }, counted(group.clips, "clip")),
        make("small", {}, most[number]));
        return make("li", { class: "strip" }, head, this.strip(group.nearest.slice(0, IN_STRIP)));
      });
      this.pages[1].replaceChildren(make("div", {},
        make("p", { class: "note" }, "By k-means on the vectors: the clips nearest to the middle of each. Click a group to see where it lies."),
        make("ol", { class: "groups" }, ...this.strips),
        this.left(["could not be read"], about.failed, about.failed_count),
        this.left(["is gone or damaged", "are gone or damaged"], about.missing || [], about.missing_count || 0),
      ));
    }

    strip(rows) {
      const clips = rows.map((row) => {
        const clip = this.source.clip(row);
        return make("button", {
          type: "button", class: "small", title: clip.id, "data-row": row, "aria-label": `${clip.id}, ${between(clip.start, clip.end)}`,
          on: this.leading(row),
        }, frame(this.source, row));
      });
      return make("div", { class: "frames" }, ...clips);
    }

    labelsOfGroups() {
      const { about, owners, groups } = this.source;
      if (!about.labels.length) return about.groups.map(() => "");
      const counts = about.groups.map(() => new Map());
      groups.forEach((group, row) => {
        const label = about.videos[owners[row]].label;
        counts[group].set(label, (counts[group].get(label) || 0) + 1);
      });
      return counts.map((one, number) => [...one].sort((a, b) => b[1] - a[1]).slice(0, 2)
        .map(([label, count]) => `${about.labels[label]} ${Math.round((100 * count) / about.groups[number].clips)} %`).join(", "));
    }

    left([one, several = one], listed, count) {
      if (!count) return null;
      const more = count > listed.length ? make("p", { class: "note" }, `And ${count - listed.length} more.`) : null;
      return make("details", { class: "left" },
        make("summary", {}, `${counted(count, "video")} ${count === 1 ? one : several}`),
        make("ul", {}, ...listed.map(([id, reason]) => make("li", {}, make("b", {}, id), make("small", {}, reason)))), more);
    }

    light(lit) {
      const number = lit && lit.by === "groups" ? lit.number : -1;
      this.strips.forEach((strip, place) => {
        const own = place === number;
        if ((strip.firstChild.getAttribute("aria-pressed") === "true") === own) return;
        strip.firstChild.setAttribute("aria-pressed", String(own));
        const { nearest } = this.source.about.groups[place];
        strip.lastChild.replaceWith(this.strip(own ? nearest : nearest.slice(0, IN_STRIP)));
      });
    }

    /** The videos that a search finds; null: no search. */
    found(videos, firsts, clips) {
      this.files.hidden = !videos;
      if (!videos) return;
      const shown = videos.slice(0, 30);
      this.files.replaceChildren(make("div", {},
        make("h3", {}, videos.length ? `${counted(videos.length, "file")}, ${counted(clips, "clip")}` : "No file is called so"),
        videos.length ? null : make("p", { class: "note" }, "The search looks for its words anywhere in folder and name."),
        make("div", { class: "hits" }, ...shown.map((video) => this.hit(this.source.clip(firsts[video])))),
        videos.length > shown.length ? make("p", { class: "note" }, `And ${counted(videos.length - shown.length, "other")}: type more.`) : null,
      ));
    }
  }

  Praxino.Panel = Panel;
})();
