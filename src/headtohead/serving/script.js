"use strict";

const byId = (id) => document.getElementById(id);
const canvas = byId("canvas");
const LARGEST = 720; // CSS pixels of a slice's height; on lower windows
const SHARE = 0.6; // this much of their height
const SETTLE = 150; // milliseconds after the last move of the threshold

/* What is on show; null until something was dropped. */
let shown = null;

/* Dropping and choosing. */

const drop = byId("drop");
const chosen = byId("files");
let depth = 0;

addEventListener("dragenter", (event) => {
  event.preventDefault();
  depth += 1;
  drop.classList.add("over");
});
addEventListener("dragleave", () => {
  depth -= 1;
  if (depth <= 0) drop.classList.remove("over");
});
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", async (event) => {
  event.preventDefault();
  depth = 0;
  drop.classList.remove("over");
  // The entries have to be asked for before anything is waited for.
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = entries.length ? (await Promise.all(entries.map(filesOf))).flat() : [...event.dataTransfer.files];
  send(files);
});
chosen.addEventListener("change", () => {
  send([...chosen.files]);
  chosen.value = ""; // so that the same file can be chosen again
});
drop.addEventListener("submit", (event) => event.preventDefault());

/* The files of a dropped folder, without those that its system hides. */
async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((done, failed) => entry.file(done, failed))];
  const reader = entry.createReader();
  const inside = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) break; // it gives a hundred at a time
    inside.push(...some);
  }
  const visible = inside.filter((one) => !one.name.startsWith("."));
  return (await Promise.all(visible.map(filesOf))).flat();
}

/* Sending. */

let sending = null; // the files under way
let waiting = null; // those that are next: the last that were dropped meanwhile

const called = (files) => (files.length === 1 ? files[0].name : `${files[0].name} and ${files.length - 1} more`);

/* One case at a time. What is dropped meanwhile waits, in place of what waited before; either is said. */
function queue(files) {
  const before = waiting ? `, instead of ${called(waiting)}` : "";
  waiting = files;
  byId("waiting").textContent = `Next: ${called(files)}${before}. It starts when ${called(sending)} is done.`;
}

async function send(files, problem = "") {
  if (!files.length) return complain("no file was dropped; drop an image or a volume");
  if (sending) return queue(files);
  sending = files;
  complain(problem);
  document.body.classList.add("working");
  const began = Date.now();
  let doing = "predicting";
  const tell = () => say(`${doing}, ${Math.round((Date.now() - began) / 1000)} s`);
  tell();
  const clock = setInterval(tell, 1000);
  try {
    const body = new FormData();
    for (const file of files) body.append("files", file, file.name);
    let answer = await fetch("cases", { method: "POST", body });
    while (answer.status === 503 && answer.headers.get("Retry-After")) {
      doing = "busy with another image, waiting";
      tell();
      await new Promise((done) => setTimeout(done, 1500));
      answer = await fetch("cases", { method: "POST", body });
    }
    if (!answer.ok) throw new Error(await answer.text());
    await show(await answer.json());
    say("");
  } catch (fault) {
    say("");
    const line = worded(fault, files);
    complain(waiting && !line.startsWith(files[0].name) ? `${called(files)}: ${line}` : line);
  } finally {
    clearInterval(clock);
    sending = null;
    const next = waiting;
    waiting = null;
    byId("waiting").textContent = "";
    // What went wrong before stays to be read.
    if (next) send(next, byId("problem").textContent);
    else document.body.classList.remove("working");
  }
}

function worded(fault, files) {
  if (!(fault instanceof TypeError)) return fault.message.trim();
  // The connection was cut: either nobody answers, or the upload was refused before it was read.
  const limit = Number(drop.dataset.limit);
  const total = files.reduce((sum, file) => sum + file.size, 0);
  if (total > limit) return `more than ${limit / 2 ** 20} MiB, the limit of this page; use the command line instead: --predict`;
  return "no answer: is the program still running in its terminal?";
}

const say = (text) => (byId("doing").textContent = text);
const complain = (text) => (byId("problem").textContent = text);

async function bytes(path) {
  const answer = await fetch(`${shown.address}/${path}`);
  if (!answer.ok) throw new Error(await answer.text());
  return answer;
}
const array = async (path) => new Uint8Array(await (await bytes(path)).arrayBuffer());

/* A new result. */

async function show(found) {
  if (shown) fetch(shown.address, { method: "DELETE" }).catch(() => {});
  shown = { ...found, own: found.threshold, pictures: {} };
  const first = found.sequences[0];
  const [picture, probability, truth] = await Promise.all([
    array(`pictures/${first}`),
    array("probability"),
    found.truth ? array("truth") : null,
  ]);
  shown.pictures[first] = picture;
  shown.sequence = first;
  const voxels = found.slices * found.height * found.width;
  shown.targets = found.targets.map((target, place) => ({
    ...target,
    probability: part(probability, place, voxels),
    truthBits: truth && part(truth, place, Math.ceil(voxels / 8)),
    mask: null,
  }));
  shown.targets.forEach(count);
  choose(0);
  await settle();

  document.body.classList.add("has-result");
  byId("result").hidden = false;
  byId("name").textContent = found.name;
  byId("about").textContent = [described(found), `${found.seconds.toFixed(1)} s`].join(" · ");
  mark(found.sides);
  const warnings = byId("warnings");
  warnings.hidden = !found.warnings.length;
  warnings.querySelector("ul").replaceChildren(
    ...found.warnings.map((text) => Object.assign(document.createElement("li"), { textContent: text })),
  );
  byId("through").hidden = byId("hint").hidden = found.slices === 1;
  byId("truth-switch").hidden = byId("dice-row").hidden = !found.truth;
  byId("which").hidden = found.sequences.length < 2;
  byId("sequence").replaceChildren(...found.sequences.map((name) => new Option({ flair: "FLAIR" }[name] ?? name, name)));
  byId("grid").textContent = "On the grid and in the format of the file you dropped" + (shown.steps ? `, after clean-up (${shown.steps}).` : ".");
  byId("slice").max = found.slices - 1;
  listTargets();
  document.querySelector(".threshold").hidden = !found.thresholded;
  tellThreshold();
  byId("jumps").hidden = found.slices === 1;
  byId("to-truth").hidden = !found.truth;
  goTo(fullest(together(areasOfTruth)) ?? fullest(together(areasOfMask)) ?? Math.floor(found.slices / 2));
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches && innerWidth < 640) byId("result").scrollIntoView();
  byId("name").focus({ preventScroll: true });
}

const part = (values, place, size) => values.subarray(place * size, (place + 1) * size);

/* One of the targets is measured; all are outlined. */
function choose(place) {
  Object.assign(shown, { target: shown.targets[place], profiled: undefined, truthAreas: undefined });
}

/* Colours and names of several targets, of which one is chosen to be measured. */
function listTargets() {
  byId("targets").hidden = shown.targets.length < 2;
  byId("targets").querySelectorAll("label").forEach((label) => label.remove());
  shown.targets.forEach((target, place) => {
    const label = document.createElement("label");
    const radio = Object.assign(document.createElement("input"), { type: "radio", name: "target", checked: !place });
    radio.addEventListener("change", () => {
      choose(place);
      if (target.measured) measures(target.measured, false);
      else estimate();
      paint();
    });
    const swatch = Object.assign(document.createElement("i"), { className: "swatch" });
    swatch.style.background = colourOf(target, "--mask");
    label.append(radio, swatch, target.name);
    byId("targets").append(label);
  });
}

/* A lone target and its truth have the colours of the page; of several, the truth is lighter. */
function colourOf({ colour }, variable) {
  if (!colour) return getComputedStyle(document.documentElement).getPropertyValue(variable);
  const parts = variable === "--truth" ? colour.map((one) => (one + 255) >> 1) : colour;
  return `rgb(${parts.join(", ")})`;
}

/* Size and spacing in one order: columns, rows, slices. */
function described({ width, height, slices, spacing }) {
  if (!spacing) return `${width} × ${height}${slices > 1 ? ` × ${slices} voxels` : " pixels"} · no spacing, so no volume in ml`;
  const [apart, row, column] = spacing.map((step) => (step < 0.995 ? step.toPrecision(2) : step.toFixed(1)));
  return `${width} × ${height} × ${slices} voxels, ${column} × ${row} × ${apart} mm (columns × rows × slices)`;
}

/* Which side of the patient lies where, as the file says. */
function mark(sides) {
  for (const side of ["left", "right", "top", "bottom"]) document.querySelector(`.side.${side}`).textContent = sides?.[side] ?? "";
  const crossed = sides && !["L", "R"].includes(sides.left); // a sagittal slice: left and right lie across it
  byId("sides").textContent = !sides ? "left/right unknown" : crossed ? "sagittal" : `patient's ${sides.left === "R" ? "right" : "left"} on the left`;
}

/* The slice with most inside, the first of several; undefined where none has any. */
function fullest(areas) {
  const most = Math.max(0, ...areas);
  return most ? areas.indexOf(most) : undefined;
}

/* Counts per slice and level of probability, so that measures follow the threshold at once in any volume. */
function count(target) {
  const area = shown.width * shown.height;
  target.levels = [];
  for (let slice = 0; slice < shown.slices; slice += 1) {
    const all = new Uint32Array(257);
    const hit = new Uint32Array(257);
    for (let place = slice * area; place < (slice + 1) * area; place += 1) {
      const level = target.probability[place];
      all[level] += 1;
      if (target.truthBits && bit(target.truthBits, place)) hit[level] += 1;
    }
    for (let level = 255; level >= 0; level -= 1) {
      all[level] += all[level + 1];
      hit[level] += hit[level + 1];
    }
    target.levels.push({ all, hit });
  }
}

const bit = (bits, place) => (bits[place >> 3] >> (7 - (place & 7))) & 1;
const level = () => Math.floor(shown.threshold * 255);
const within = (target) => (place) => (target.mask ? bit(target.mask, place) : target.probability[place] >= level());

function areasOf(test) {
  const area = shown.width * shown.height;
  return Array.from({ length: shown.slices }, (_, slice) => {
    let sum = 0;
    for (let place = slice * area; place < (slice + 1) * area; place += 1) sum += test(place) ? 1 : 0;
    return sum;
  });
}
const areasOfMask = (target = shown.target) => (target.mask ? areasOf(within(target)) : target.levels.map(({ all }) => all[level()]));
const areasOfTruth = (target = shown.target) => (target.truthBits ? target.levels.map(({ hit }) => hit[0]) : []);
const together = (areas) => shown.targets.map((target) => areas(target)).reduce((sums, more) => sums.map((sum, slice) => sum + more[slice]));

/* The threshold: while it moves the page reckons by itself; when it rests the program says it exactly, cleaned up. */

let resting = 0;
byId("threshold").addEventListener("input", (event) => moveThreshold(Number(event.target.value)));
byId("reset").addEventListener("click", () => moveThreshold(shown.own));

function moveThreshold(value) {
  shown.threshold = value;
  for (const target of shown.targets) Object.assign(target, { mask: null, measured: null });
  tellThreshold();
  estimate();
  paint();
  clearTimeout(resting);
  resting = setTimeout(() => settle().then(paint, (fault) => complain(fault.message.trim())), SETTLE);
}

function tellThreshold() {
  byId("threshold").value = shown.threshold;
  byId("threshold-said").textContent = Number(shown.threshold.toFixed(3));
  byId("reset").disabled = shown.threshold === shown.own;
  byId("reset").textContent = shown.threshold === shown.own ? "the model's own" : `back to the model's own, ${Number(shown.own.toFixed(3))}`;
}

function estimate() {
  const sums = shown.target.levels.map(({ all, hit }) => [all[level()], hit[level()], hit[0]]);
  const total = (which) => sums.reduce((sum, one) => sum + one[which], 0);
  const [voxels, hits, truth] = [total(0), total(1), total(2)];
  measures(
    {
      voxels,
      slices_with_lesion: sums.filter((one) => one[0]).length,
      lesions: null,
      volume_ml: shown.millilitres === null ? null : voxels * shown.millilitres,
      dice: truth ? (2 * hits) / (voxels + truth) : null,
      left_alone: voxels === 0,
    },
    true,
  );
}

async function settle() {
  const { address, threshold } = shown;
  const answer = await bytes(`mask?threshold=${threshold}`);
  const masks = new Uint8Array(await answer.arrayBuffer());
  if (shown.address !== address || shown.threshold !== threshold) return; // moved on meanwhile
  JSON.parse(answer.headers.get("Measures")).forEach((measured, place) => {
    const mask = part(masks, place, masks.length / shown.targets.length);
    Object.assign(shown.targets[place], { mask, measured });
  });
  measures(shown.target.measured, false);
}

function measures(found, moving) {
  byId("measures").classList.toggle("moving", moving);
  const number = (value) => value.toLocaleString("en");
  // Where there are no millilitres the voxels are what is read first.
  const inMillilitres = found.volume_ml !== null;
  byId("volume-row").hidden = !inMillilitres;
  byId("voxels-row").classList.toggle("large", !inMillilitres);
  byId("volume").textContent = inMillilitres ? `${found.volume_ml.toFixed(2)} ml` : "";
  byId("voxels").textContent = number(found.voxels);
  byId("slices").textContent = `${found.slices_with_lesion} of ${shown.slices}`;
  byId("lesions").textContent = found.lesions === null ? "…" : number(found.lesions);
  const dice = byId("dice");
  dice.classList.toggle("words", found.dice === null);
  dice.textContent = found.dice === null ? `no lesion in the truth: ${found.left_alone ? "left alone" : "false alarm"}` : found.dice.toFixed(3);
}

/* Slices: slider, keys, wheel. */

const slider = byId("slice");
slider.addEventListener("input", () => goTo(Number(slider.value)));
byId("sequence").addEventListener("change", async (event) => {
  const name = event.target.value;
  try {
    shown.pictures[name] ??= await array(`pictures/${name}`);
    shown.sequence = name;
    paint();
  } catch (fault) {
    complain(fault.message.trim());
  }
});
canvas.addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity };
  if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  goTo(shown.slice + steps[event.key]);
});
let rolled = 0;
byId("viewer").addEventListener(
  "wheel",
  (event) => {
    if (shown.slices === 1 || event.ctrlKey) return;
    event.preventDefault();
    rolled += event.deltaMode ? event.deltaY * 40 : event.deltaY; // a touchpad sends many small steps
    const steps = Math.trunc(rolled / 40);
    rolled -= steps * 40;
    if (steps) goTo(shown.slice + Math.sign(steps) * Math.min(Math.abs(steps), 3));
  },
  { passive: false },
);

function goTo(slice) {
  shown.slice = Math.min(Math.max(slice, 0), shown.slices - 1);
  paint();
}

for (const [id, areas] of [["to-mask", areasOfMask], ["to-truth", areasOfTruth]]) {
  byId(id).addEventListener("click", () => goTo(fullest(areas()) ?? shown.slice));
}

/* The window: which greys are spread from black to white, in percent of the brightest. */
function tellWindow() {
  const [level, width] = [Number(byId("level").value), Number(byId("width").value)];
  for (const [id, value] of [["level", level], ["width", width]]) {
    byId(`${id}-said`).textContent = `${value} %`;
    byId(id).setAttribute("aria-valuetext", `${value} percent`);
  }
  byId("full-window").disabled = level === 50 && width === 100;
}
function greys() {
  const [level, width] = [Number(byId("level").value), Number(byId("width").value)];
  const low = level - width / 2;
  return Uint8ClampedArray.from({ length: 256 }, (_, grey) => ((grey / 2.55 - low) / width) * 255);
}
for (const id of ["level", "width"]) {
  byId(id).addEventListener("input", () => {
    tellWindow();
    paint();
  });
}
byId("full-window").addEventListener("click", () => {
  byId("level").value = 50;
  byId("width").value = 100;
  tellWindow();
  paint();
});
tellWindow();

for (const id of ["show-mask", "show-truth", "show-probability", "opacity"]) {
  byId(id).addEventListener("input", () => {
    if (id === "opacity") byId("show-probability").checked = true;
    paint();
  });
}
new ResizeObserver(() => shown && paint()).observe(byId("viewer"));
addEventListener("resize", () => shown && paint());

/* Drawing. */

const INFERNO = ramp([[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]]);

function ramp(stops) {
  return Array.from({ length: 256 }, (_, value) => {
    const at = (value / 255) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    return stops[low].map((colour, channel) => colour + (stops[low + 1][channel] - colour) * (at - low));
  });
}

const sheet = document.createElement("canvas");

function paint() {
  const { width, height, slices, slice } = shown;
  const [row, column] = shown.pixel;
  const ratio = (height * row) / (width * column);
  const room = byId("viewer").clientWidth;
  if (!room) return;
  const across = Math.min(room, Math.max(240, Math.min(LARGEST, SHARE * innerHeight)) / ratio);
  const dense = devicePixelRatio || 1;
  canvas.width = Math.round(across * dense);
  canvas.height = Math.round(across * ratio * dense);
  canvas.style.width = `${across}px`;
  canvas.style.height = `${across * ratio}px`;

  sheet.width = width;
  sheet.height = height;
  const pixels = new ImageData(width, height);
  const start = slice * width * height;
  const picture = shown.pictures[shown.sequence];
  const windowed = greys();
  const share = byId("show-probability").checked ? Number(byId("opacity").value) / 100 : 0;
  for (let place = 0; place < width * height; place += 1) {
    const grey = windowed[picture[start + place]];
    const chance = shown.target.probability[start + place];
    // What is improbable stays clear, so that the image can be seen.
    const weight = share * Math.min(1, chance / 64);
    const colour = INFERNO[chance];
    for (let channel = 0; channel < 3; channel += 1) {
      pixels.data[place * 4 + channel] = grey + (colour[channel] - grey) * weight;
    }
    pixels.data[place * 4 + 3] = 255;
  }
  sheet.getContext("2d").putImageData(pixels, 0, 0);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(sheet, 0, 0, canvas.width, canvas.height);

  // The truth is drawn broader and first: where both outlines run together, both are seen.
  for (const target of shown.targets) {
    if (!target.truthBits || !byId("show-truth").checked) continue;
    outline(context, (place) => bit(target.truthBits, place), colourOf(target, "--truth"), (across < 450 ? 4 : 4.5) * dense);
  }
  for (const target of shown.targets) {
    if (byId("show-mask").checked) outline(context, within(target), colourOf(target, "--mask"), 1.75 * dense);
  }

  slider.value = slice;
  const where = slices > 1 ? `slice ${slice + 1} of ${slices}` : "one slice";
  slider.setAttribute("aria-valuetext", where);
  canvas.setAttribute("aria-label", `${shown.name}, ${where}, ${byId("sides").textContent}`);
  byId("position").textContent = where;
  profile();
}

/* Lines along the edges of voxels: exactly what is inside, whatever the size on the screen. */
function outline(context, test, colour, thickness) {
  const { width, height, slice } = shown;
  const start = slice * width * height;
  const [right, down] = [canvas.width / width, canvas.height / height];
  const at = (x, y) => x >= 0 && x < width && y >= 0 && y < height && test(start + y * width + x);
  context.beginPath();
  for (let y = 0; y <= height; y += 1) {
    for (let x = 0; x <= width; x += 1) {
      const here = Boolean(at(x, y));
      if (here !== Boolean(at(x, y - 1))) {
        context.moveTo(x * right, y * down);
        context.lineTo((x + 1) * right, y * down);
      }
      if (here !== Boolean(at(x - 1, y))) {
        context.moveTo(x * right, y * down);
        context.lineTo(x * right, (y + 1) * down);
      }
    }
  }
  context.strokeStyle = colour;
  context.lineWidth = thickness;
  context.lineCap = "square";
  context.stroke();
}

/* How much is inside on each slice, above the slider. */
function profile() {
  if (shown.slices === 1) return;
  if (shown.profiled === (shown.target.mask ?? shown.threshold)) return;
  shown.profiled = shown.target.mask ?? shown.threshold;
  const mask = areasOfMask();
  shown.truthAreas ??= areasOfTruth();
  const most = Math.max(1, ...mask, ...shown.truthAreas);
  const line = (areas) => areas.map((area, slice) => `L${slice},${1 - area / most} L${slice + 1},${1 - area / most}`).join(" ");
  const strip = byId("strip");
  strip.setAttribute("viewBox", `0 0 ${shown.slices} 1`);
  strip.querySelector(".by-mask").setAttribute("d", `M0,1 ${line(mask)} L${shown.slices},1 Z`);
  strip.querySelector(".by-truth").setAttribute("d", shown.target.truthBits ? `M0,1 ${line(shown.truthAreas)} L${shown.slices},1` : "");
}

/* Download: by way of a blob, so that a refusal can be said here. */
byId("download").addEventListener("click", async (event) => {
  event.target.disabled = true;
  complain("");
  try {
    const answer = await bytes(`file?threshold=${shown.threshold}`);
    const name = decodeURIComponent(answer.headers.get("Content-Disposition").split("''")[1]);
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(await answer.blob()), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  } catch (fault) {
    complain(fault.message.trim());
  } finally {
    event.target.disabled = false;
  }
});
