
/* Several targets: the chosen case is said with its Dice of each. */
function sayEach() {
  const chosen = [...document.querySelectorAll(".dot-plot .case.chosen title")].map((title) => title.textContent);
  if (chosen.length) said.textContent = [...new Set(chosen)].join(" · ");
}
for (const plot of plots) for (const event of ["pointerover", "pointerleave", "click"]) plot.addEventListener(event, sayEach);
choice.addEventListener("change", sayEach);
