// Where the clips come from: a server on this machine, or the files of a site.
"use strict";

(() => {
  const decoded = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0)).buffer;

  async function fetched(address, as) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(await reason(answer));
    return answer[as]();
  }

  async function reason(answer) {
    try {
      return (await answer.json()).error;
    } catch {
      return `the server answers ${answer.status}`;
    }
  }

  /** What both kinds have in common: who a clip is. */
  class Source {
    constructor(about, points, seconds, owners, groups) {
      this.about = about;
      this.points = new Float32Array(points);
      this.seconds = new Float32Array(seconds);
      this.owners = new Int32Array(owners);
      this.groups = new Int32Array(groups);
    }

    clip(row) {
      const video = this.about.videos[this.owners[row]];
      const [start, end] = this.seconds.subarray(2 * row, 2 * row + 2);
      return { row, video: this.owners[row], id: video.id, label: video.label, group: this.groups[row], start, end };
    }
  }

  class Served extends Source {
    static async open() {
      const arrays = ["points", "seconds", "owners", "groups"].map((name) => fetched(`${name}.bin`, "arrayBuffer"));
      return new Served(...(await Promise.all([fetched("about.json", "json"), ...arrays])));
    }

    frame(row) {
      return `frame/${row}.jpg`;
    }

    async neighbours(row) {
      return (await fetched(`neighbours/${row}.json`, "json")).hits;
    }

    async moment(row) {
      return fetched(`clip/${row}.json`, "json");
    }
  }

  class Site extends Source {
    constructor(data) {
      super(data.about, ...["points", "seconds", "owners", "groups"].map((name) => decoded(data[name])));
      this.rows = new Int32Array(decoded(data.neighbours));
      this.similarities = new Float32Array(decoded(data.similarities));
      this.spans = new Float32Array(decoded(data.spans));
      this.notes = data.notes;
    }

    frame(row) {
      return `frames/${row}.jpg`;
    }

    async neighbours(row) {
      const many = this.rows.length / this.owners.length;
      const places = Array.from({ length: many }, (_, place) => many * row + place);
      return places
        .filter((place) => this.rows[place] >= 0)
        .map((place) => ({
          row: this.rows[place],
          video: this.owners[this.rows[place]],
          start: this.spans[2 * place],
          end: this.spans[2 * place + 1],
          similarity: this.similarities[place],
        }));
    }

    async moment(row) {
      const note = this.notes[row] || "";
      return { row, source: note ? "" : `moments/${row}.mp4`, note };
    }
  }

  Praxino.openSource = async () => (window.PRAXINO_DATA ? new Site(window.PRAXINO_DATA) : Served.open());
})();
