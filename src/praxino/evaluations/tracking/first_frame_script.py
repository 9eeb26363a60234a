"""What the page of the first frame does: a box by pointer, by arrow keys or by numbers, and its words to be copied."""

SCRIPT = """
const part = id => document.getElementById(id), stage = part("stage"), shown = part("box"), words = part("words");
const fields = ["x", "y", "width", "height"].map(part);
let box = null, corner = null;

const within = (value, low, high) => Math.min(Math.max(value, low), high);

function show(from) {
  shown.hidden = !box;
  part("copy").disabled = !box;
  part("said").textContent = "";
  words.className = box ? "" : "none";
  words.textContent = box ? "--box " + box.join(",") : "no box yet";
  if (!box) return;
  const sides = [WIDTH, HEIGHT, WIDTH, HEIGHT];
  ["left", "top", "width", "height"].forEach((name, k) => shown.style[name] = 100 * box[k] / sides[k] + "%");
  fields.forEach((field, k) => { if (field !== from) field.value = box[k]; });
}

function place(event) {
  const area = stage.getBoundingClientRect();
  return [within((event.clientX - area.left) / area.width, 0, 1) * WIDTH,
          within((event.clientY - area.top) / area.height, 0, 1) * HEIGHT];
}

// From one corner to the other, in whole pixels that hold both.
function between(one, other) {
  const low = one.map((value, k) => Math.floor(Math.min(value, other[k])));
  const high = one.map((value, k) => Math.ceil(Math.max(value, other[k])));
  return [...low, high[0] - low[0], high[1] - low[1]];
}

stage.addEventListener("pointerdown", event => {
  if (event.button !== 0 || !event.isPrimary) return;
  event.preventDefault();
  stage.focus({preventScroll: true});
  stage.setPointerCapture(event.pointerId);
  corner = place(event);
});
stage.addEventListener("pointermove", event => {
  if (!corner || !event.isPrimary) return;
  const drawn = between(corner, place(event));
  // A press without a drag is no box, and leaves the one before.
  if (drawn[2] < 3 || drawn[3] < 3) return;
  box = drawn;
  show();
});
for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => { corner = null; });

const keys = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, -1], ArrowDown: [1, 1]};
stage.addEventListener("keydown", event => {
  const [axis, sign] = keys[event.key] || [];
  if (sign === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const sides = [WIDTH, HEIGHT];
  // The first key makes one, in the middle.
  if (!box) box = [...sides.map(side => Math.floor(side * 3 / 8)), ...sides.map(side => Math.ceil(side / 4))];
  else {
    const step = sign * (event.repeat ? 4 : 1);
    if (event.shiftKey) box[axis + 2] = within(box[axis + 2] + step, 1, sides[axis] - box[axis]);
    else box[axis] = within(box[axis] + step, 0, sides[axis] - box[axis + 2]);
  }
  show();
});

fields.forEach(field => field.addEventListener("input", () => {
  const typed = fields.map(one => one.valueAsNumber);
  const [x, y, width, height] = typed;
  const fits = typed.every(Number.isFinite) && x >= 0 && y >= 0 && width > 0 && height > 0
    && x + width <= WIDTH && y + height <= HEIGHT;
  box = fits ? typed : null;
  show(field);
  if (!fits && typed.every(Number.isFinite)) words.textContent = "this box lies outside of the picture";
}));

part("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(words.textContent);
  } catch {
    // Where a page without a server may not: the words are selected, and copied as by hand.
    getSelection().selectAllChildren(words);
    if (!document.execCommand("copy")) { part("said").textContent = "selected: copy by Ctrl-C"; return; }
  }
  part("said").textContent = "copied";
});
show();
"""
