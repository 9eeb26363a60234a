// Elements of the page. Text goes in by textContent only: names of files may hold anything.
"use strict";

const Praxino = {};

(() => {
  /** An element with properties, attributes (`aria-...`, `data-...`, `role`) and children (elements or text). */
  Praxino.make = (tag, properties = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (value === undefined || value === null) continue;
      if (name === "on") for (const [event, call] of Object.entries(value)) element.addEventListener(event, call);
      else if (name === "class") element.className = value;
      else if (name.includes("-") || name === "role") element.setAttribute(name, String(value));
      else element[name] = value;
    }
    element.append(...children.filter((one) => one !== null && one !== undefined));
    return element;
  };

  Praxino.byId = (id) => document.getElementById(id);

  /** "1 clip", "1,204 clips". */
  Praxino.counted = (count, what) => `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;

  /** "1.2 to 3.4 s", with minutes from a hundred seconds on. */
  Praxino.between = (start, end) => {
    if (end < 100) return `${start.toFixed(1)} to ${end.toFixed(1)} s`;
    const clock = (time) => {
      const whole = Math.floor(time);
      const parts = [Math.floor(whole / 60) % 60, whole % 60].map((one) => String(one).padStart(2, "0"));
      return (whole >= 3600 ? [Math.floor(whole / 3600), ...parts] : parts).join(":");
    };
    return `${clock(start)} to ${clock(end)}`;
  };

  /** The last part of an id, and what stands before it. */
  Praxino.apart = (id) => {
    const cut = id.lastIndexOf("/");
    return { name: id.slice(cut + 1), folder: id.slice(0, Math.max(cut, 0)) };
  };

  /** A name that breaks behind "_" and "-", where it can, and not in the middle of a word. */
  Praxino.breakable = (name) =>
    name.split(/(?<=[_-])/).flatMap((part, place) => (place ? [Praxino.make("wbr"), part] : [part]));

  /** Text for a comparison: without accents, in small letters, however the file system writes them. */
  Praxino.plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

  Praxino.still = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  /** A picture of a clip; where there is none, words in its place. */
  Praxino.frame = (source, row, lazy = true) => {
    const { id } = source.clip(row);
    const image = Praxino.make("img", { alt: `frame of ${id}`, draggable: false });
    if (lazy) image.loading = "lazy";
    const holder = Praxino.make("span", { class: "frame" }, image);
    image.addEventListener("error", () => {
      holder.replaceChildren(Praxino.make("span", { class: "gone" }, "no picture"));
    });
    image.src = source.frame(row);
    return holder;
  };
})();
