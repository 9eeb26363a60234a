// The map: points of all clips, drawn by regl-scatterplot; marks and words over it are elements of the page.
"use strict";

(() => {
  const { make, byId } = Praxino;
  const COLOURS = 20; // of the style sheet; beyond that they come again
  const FEW = 5000; // clips up to which points are round
  const MANY = 60000; // clips from which on only some are drawn while the map moves
  const MOVING = 25000; // of them
  const REST = 180; // milliseconds after which a map is at rest
  const FADED = [0.07, 0.02]; // what is not highlighted: of few clips, of many, which lie over each other

  // Four samples a pixel are what takes the time without a graphics card, and a point of few pixels gains nothing.
  const CONTEXT = { antialias: false, preserveDrawingBuffer: false };

  const canvas = byId("map");
  const stage = byId("stage");

  /** A colour of the style sheet. */
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  Praxino.swatch = (number) => `var(--g${number % COLOURS})`;

  function hasWebGL() {
    try {
      const context = document.createElement("canvas").getContext("webgl");
      return Boolean(context && context.getExtension("OES_texture_float"));
    } catch {
      return false;
    }
  }

  /**
   * The library's renderer without its detour over floating-point pixels, which takes most of the time where there is no
   * graphics card. Eight bits are enough for points of these opacities.
   */
  function direct(renderer) {
    const render = (draw, target) => {
      renderer.regl.clear({ color: [0, 0, 0, 0], depth: 1 });
      draw();
      const context = target.getContext("2d");
      const { width, height } = target;
      const from = renderer.canvas;
      context.clearRect(0, 0, width, height);
      context.drawImage(from, (from.width - width) / 2, (from.height - height) / 2, width, height, 0, 0, width, height);
    };
    return Object.create(renderer, { render: { value: render } });
  }

  class ClipMap {
    constructor(source, on) {
      this.source = source;
      this.on = on;
      this.by = "groups"; // what colours say
      this.lit = null; // {by, number}: what is highlighted
      this.shown = null; // rows that the search leaves; null: all
      this.kept = null; // the same as a set
      this.hits = [];
      this.row = null;
      this.labels = Int32Array.from(source.owners, (video) => Math.max(0, source.about.videos[video].label));
      this.moving = false;
    }

    async open() {
      if (!hasWebGL()) {
        byId("no-map").textContent = "This browser draws no map: WebGL is switched off. Groups and search work without it.";
        byId("no-map").hidden = false;
        return;
      }
      const { width, height } = this.size();
      const drawing = make("canvas", { width, height });
      drawing.getContext("webgl", CONTEXT); // before the library asks for one with other attributes
      this.renderer = direct(ReglScatterplot.createRenderer({ canvas: drawing }));
      this.renderer.resize(width, height);
      const few = this.source.owners.length < FEW;
      this.plot = ReglScatterplot.create({
        canvas, renderer: this.renderer, width, height, actionKeyMap: {}, lassoInitiator: false, lassoOnLongPress: false,
        spatialIndexUseWorker: false, renderPointsAsSquares: !few, pointScaleMode: few ? "asinh" : "constant",
        pointSize: this.pointSize(), pointSizeSelected: 2, pointOutlineWidth: 2, deselectOnDblClick: false,
        deselectOnEscape: false, cameraDistance: this.far(), opacityInactiveMax: 1, opacityInactiveScale: 1,
        ...this.colours(),
      });
      this.plot.subscribe("select", ({ points }) => points.length && this.on.select(points[0]));
      this.plot.subscribe("pointOver", (row) => this.hover(row));
      this.plot.subscribe("pointOut", () => this.hover(null));
      this.plot.subscribe("view", () => this.moved());
      const { points, groups } = this.source;
      const axis = (number) => Float32Array.from(this.labels, (_, row) => points[2 * row + number]);
      await this.plot.draw(
        { x: axis(0), y: axis(1), z: Float32Array.from(groups), w: Float32Array.from(this.labels) },
        { zDataType: "categorical", wDataType: "categorical" },
      );
      performance.mark("praxino-map");
      canvas.addEventListener("pointerdown", () => this.drag(true));
      window.addEventListener("pointerup", () => this.drag(false));
      this.touch();
      new ResizeObserver(() => this.resize()).observe(stage);
      window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
    }

    size() {
      return { width: Math.max(1, stage.clientWidth), height: Math.max(1, stage.clientHeight) };
    }

    /** How far away all points are in sight. */
    far() {
      const { width, height } = this.size();
      return 1.08 * Math.max(1, height / width);
    }

    pointSize() {
      const count = this.source.owners.length;
      return count < 1000 ? 7 : count < FEW ? 5 : count < 30000 ? 3 : 2;
    }

    count(by) {
      return by === "labels" ? this.source.about.labels.length : this.source.about.groups.length;
    }

    colours() {
      const value = { groups: "valueA", labels: "valueB" };
      const palette = Array.from({ length: Math.max(1, this.count(this.by)) }, (_, number) => colour(`g${number % COLOURS}`));
      const few = this.source.owners.length < FEW;
      const [strong, faded] = few ? [0.85, FADED[0]] : [1, FADED[1]];
      const lit = this.lit;
      const opacity = Array.from({ length: lit ? this.count(lit.by) : 1 }, (_, number) =>
        !lit || number === lit.number ? strong : faded,
      );
      return {
        colorBy: value[this.by], pointColor: palette, opacityBy: lit ? value[lit.by] : null,
        opacity: opacity.length === 1 ? opacity[0] : opacity, backgroundColor: colour("card"),
        pointColorActive: colour("ink"), pointColorHover: colour("ink"),
      };
    }

    paint() {
      this.plot?.set(this.colours());
    }

    colourBy(by) {
      this.by = by;
      this.paint();
    }

    light(lit) {
      this.lit = lit;
      this.paint();
    }

    /** Leaves only these rows; null: all of them. */
    filter(rows) {
      this.shown = rows;
      this.kept = rows && new Set(rows); // a ring about a point that is not drawn would say nothing
      this.thin(false);
      this.placeMarks();
    }

    /** While the map moves a fixed part of many clips is drawn, so that it follows the hand. */
    thin(moving) {
      if (!this.plot) return;
      const kept = this.shown ? this.shown.length : this.source.owners.length;
      const thinned = moving && kept > MANY;
      if (thinned === this.moving && moving) return;
      this.moving = thinned;
      if (thinned) this.plot.filter(this.some(), { preventEvent: true });
      else if (this.shown) this.plot.filter(this.shown.length ? this.shown : [-1], { preventEvent: true });
      else if (this.plot.get("isPointsFiltered")) this.plot.unfilter({ preventEvent: true });
      this.marked();
    }

    some() {
      const rows = this.shown || Array.from(this.source.owners.keys());
      // Rows of a video follow each other: a multiple of a prime takes some of each, always the same.
      return rows.filter((row) => (Math.imul(row, 2654435761) >>> 0) % rows.length < MOVING);
    }

    moved() {
      this.placeMarks();
      if (this.source.owners.length <= MANY) return;
      this.thin(true);
      clearTimeout(this.resting);
      this.resting = setTimeout(() => this.thin(false), REST);
    }

    hover(row) {
      if (this.dragged) return;
      this.on.hover(row, row === null ? null : this.plot?.getScreenPosition(row));
    }

    /** While a button is down nothing is shown of the points that pass below the mouse. */
    drag(begun) {
      this.dragged = begun;
      if (begun) this.on.hover(null, null);
    }

    /** Marks a clip and what is near it. */
    select(row, hits) {
      this.row = row;
      this.hits = hits;
      this.marked();
      this.buildMarks();
    }

    marked() {
      if (this.row === null) this.plot?.deselect({ preventEvent: true });
      else this.plot?.select([this.row], { preventEvent: true });
    }

    buildMarks() {
      const one = (row, kind, words) => make("span", { class: `mark ${kind}`, "data-row": row }, words);
      const near = this.hits.map((hit, place) => one(hit.row, "near", String(place + 1)));
      byId("marks").replaceChildren(...near, ...(this.row === null ? [] : [one(this.row, "own", "")]));
      this.placeMarks();
    }

    placeMarks() {
      if (!this.plot) return;
      for (const mark of byId("marks").children) {
        const place = this.plot.getScreenPosition(Number(mark.dataset.row));
        const left = !this.kept || this.kept.has(Number(mark.dataset.row)) || mark.classList.contains("own");
        mark.hidden = !place || !left;
        if (place) mark.style.transform = `translate(${place[0].toFixed(1)}px, ${place[1].toFixed(1)}px)`;
      }
    }

    /** Zooms by a factor about the middle. */
    zoom(factor) {
      if (!this.plot) return;
      const target = this.plot.get("cameraTarget");
      const distance = this.plot.get("cameraDistance") / factor;
      this.plot.zoomToLocation([target[0], target[1]], distance, this.how());
    }

    all() {
      this.plot?.zoomToLocation([0, 0], this.far(), this.how());
    }

    /** Moves the map so that a clip that lies outside comes into sight. */
    reveal(row) {
      const place = this.plot?.getScreenPosition(row);
      if (!place) return;
      const { width, height } = this.size();
      if (place[0] >= 8 && place[0] <= width - 8 && place[1] >= 8 && place[1] <= height - 8) return;
      const at = [this.source.points[2 * row], this.source.points[2 * row + 1]];
      this.plot.zoomToLocation(at, this.plot.get("cameraDistance"), this.how());
    }

    how() {
      return Praxino.still() ? {} : { transition: true, transitionDuration: 200 };
    }

    resize() {
      const { width, height } = this.size();
      this.renderer.resize(width, height);
      this.plot.set({ width, height });
      requestAnimationFrame(() => this.placeMarks());
    }

    /** Fingers: one moves the map, two scale it. The library knows a mouse only. */
    touch() {
      const fingers = new Map();
      const spread = () => {
        const [a, b] = [...fingers.values()];
        return b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
      };
      canvas.addEventListener("pointerdown", (event) => {
        if (event.pointerType === "touch") fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      });
      canvas.addEventListener("pointermove", (event) => {
        const before = fingers.get(event.pointerId);
        if (!before) return;
        const wide = spread();
        fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
        const { width, height } = this.size();
        const camera = this.plot.get("camera");
        if (fingers.size === 1) {
          camera.pan([(2 * (event.clientX - before.x)) / width * (width / height), (2 * (before.y - event.clientY)) / height]);
        } else if (wide > 0) {
          camera.scale(spread() / wide, [0, 0]);
        }
        this.plot.redraw();
        this.moved();
      });
      for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
    }
  }

  Praxino.ClipMap = ClipMap;
})();
