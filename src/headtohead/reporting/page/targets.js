
/* Several targets: the chosen case is said with its Dice of each. */
function sayEach() {
  const chosen = [...document.querySelectorAll(".dot-plot .case.chosen title")].map((title) => title.textContent);
  if (chosen.length) said.textContent = [...new Set(chosen)].join(" · ");
}
for (const plot of plots) for (const event of ["pointerover", "pointerleave", "click"]) plot.addEventListener(event, sayEach);
choice.addEventListener("change", sayEach);

/* An outline is shown if both its target and whoever drew it are switched on. */
const switches = [...document.querySelectorAll(".switches input")];
function showOutlines() {
  const off = (kind, name) => switches.some((box) => box.dataset[kind] === name && !box.checked);
  for (const path of document.querySelectorAll(".picture path")) {
    const [who, target] = path.dataset.outline.split(".");
    path.toggleAttribute("hidden", off("who", who) || off("target", target));
  }
}
for (const box of switches) box.addEventListener("change", showOutlines);
showOutlines();
