// Looks whether the runs have gone on, and puts what is new in the place of what is shown.
"use strict";
(() => {
  const SECONDS = 10;
  let state = document.currentScript.dataset.state;

  async function asked(address) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    return answer;
  }

  const opened = () => [...document.querySelectorAll("details")].map((one) => one.open);

  async function renew() {
    const made = new DOMParser().parseFromString(await (await asked("./")).text(), "text/html");
    const open = opened(), [x, y] = [scrollX, scrollY];
    document.title = made.title;
    document.body.replaceWith(made.body);
    const now = [...document.querySelectorAll("details")];
    if (now.length === open.length) now.forEach((one, at) => { one.open = open[at]; });
    scrollTo(x, y);
  }

  async function look() {
    let finished = false;
    try {
      const said = document.hidden ? null : await (await asked("state.json")).json();
      if (said && said.state !== state) {
        await renew();
        state = said.state;
      }
      finished = Boolean(said && said.finished);
    } catch { /* The server has ended or has another address now, or the run was moved: what is shown stays. */ }
    if (!finished) setTimeout(look, 1000 * SECONDS);
  }
  look();
})();
