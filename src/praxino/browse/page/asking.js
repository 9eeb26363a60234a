// Asking: a search for names of files, and files that are queries.
"use strict";

(() => {
  const { byId, plain } = Praxino;
  const MOST = 2 * 1024 ** 3; // bytes that the server takes

  /** Calls with the videos whose folder or name holds all words, their clips and each one's first; null: no search. */
  Praxino.searching = (source, found) => {
    const box = byId("find");
    const names = source.about.videos.map((video) => plain(video.id));
    let first = null;
    const look = () => {
      const words = plain(box.value).split(/\s+/).filter(Boolean);
      if (!words.length) return found(null, null, null);
      const hit = names.map((name) => words.every((word) => name.includes(word)));
      const rows = [];
      const firsts = new Map();
      source.owners.forEach((video, row) => {
        if (!hit[video]) return;
        rows.push(row);
        if (!firsts.has(video)) firsts.set(video, row);
      });
      first = rows.length ? rows[0] : null;
      return found([...firsts.keys()], Object.fromEntries(firsts), rows);
    };
    let waiting = 0;
    box.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(look, 120);
    });
    return { look, clear: () => { box.value = ""; look(); }, first: () => first };
  };

  /** Files that are dropped or chosen; `on.begun(name)`, `on.progress(words, share)`, `on.done(hits)`, `on.failed(line)`. */
  Praxino.queries = (on) => {
    let running = null;

    const ask = (file) => {
      running?.abort();
      on.begun(file.name);
      if (file.size > MOST) return on.failed("The file is larger than 2 GB: cut the part out of it that is to ask.");
      const request = new XMLHttpRequest();
      running = request;
      request.open("POST", "query");
      request.setRequestHeader("X-Name", encodeURIComponent(file.name));
      request.upload.onprogress = (event) => {
        const share = event.lengthComputable ? event.loaded / event.total : undefined;
        if (share !== 1) on.progress("The file is read …", share);
      };
      request.upload.onload = () => on.progress("It goes through the encoder …");
      request.onerror = () => on.failed("The server does not answer. Does praxino browse still run?");
      request.onload = () => {
        let said = {};
        try {
          said = JSON.parse(request.responseText);
        } catch {
          // What is no JSON is said below.
        }
        if (request.status === 200 && said.hits) on.done(said.hits, said.clips);
        else on.failed(said.error || `The server answers ${request.status}.`);
      };
      request.send(file);
    };

    const drop = byId("drop");
    const holdsFile = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
    let depth = 0;
    document.addEventListener("dragenter", (event) => {
      if (holdsFile(event)) drop.hidden = ++depth < 1;
    });
    document.addEventListener("dragleave", (event) => {
      if (holdsFile(event)) drop.hidden = --depth < 1;
    });
    document.addEventListener("dragover", (event) => holdsFile(event) && event.preventDefault());
    document.addEventListener("drop", (event) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      depth = 0;
      drop.hidden = true;
      if (event.dataTransfer.files.length) ask(event.dataTransfer.files[0]);
    });
    const chosen = byId("file");
    chosen.addEventListener("change", () => {
      if (chosen.files.length) ask(chosen.files[0]);
      chosen.value = "";
    });
    byId("ask").hidden = false;
  };
})();
