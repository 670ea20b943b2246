"use strict";
document.documentElement.classList.add("scripted");

/* Sorting: a button in every head. Numbers by value, words by alphabet; cells without a value stay last either way. */
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const original = [...body.rows];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    const numeric = head.classList.contains("number");
    const value = (row) => row.cells[column].dataset.order;
    button.addEventListener("click", () => {
      // Of numbers the largest are asked for first; the third press gives the first order back.
      const turns = numeric ? ["descending", "ascending"] : ["ascending", "descending"];
      const turn = turns[turns.indexOf(head.getAttribute("aria-sort")) + 1];
      for (const other of heads) other.removeAttribute("aria-sort");
      if (!turn) return body.append(...original);
      head.setAttribute("aria-sort", turn);
      const sign = turn === "ascending" ? 1 : -1;
      const compare = (a, b) =>
        numeric ? Number(a) - Number(b) : a.localeCompare(b, "en", { numeric: true });
      body.append(
        ...[...original].sort((one, two) => {
          const [a, b] = [value(one), value(two)];
          if (a === "" || b === "") return (a === "") - (b === "");
          return sign * compare(a, b);
        }),
      );
    });
  });
}

/* Tables wider than their box: the first column stays in place, and a line says that there is more. */
for (const box of document.querySelectorAll(".scroll")) {
  const look = () => {
    box.classList.toggle("overflowing", box.scrollWidth > box.clientWidth + 1);
    box.classList.toggle("moved", box.scrollLeft > 1);
  };
  box.addEventListener("scroll", look, { passive: true });
  new ResizeObserver(look).observe(box);
  look();
}

/* Back to the top, once the head of the page is out of sight. */
const up = document.querySelector(".up");
new IntersectionObserver(([head]) => up.classList.toggle("needed", !head.isIntersecting)).observe(document.querySelector("header"));

/* Dot plots: the case that is pointed at or chosen stands out, and its scores are said in words. */
const plots = [...document.querySelectorAll(".dot-plot")];
const choice = document.getElementById("case-choice");
const said = document.getElementById("case-said");
const invitation = said.textContent;

function highlight(name) {
  said.textContent = invitation;
  for (const plot of plots) {
    plot.classList.toggle("choosing", name !== "");
    for (const group of plot.querySelectorAll(".case")) {
      const chosen = name !== "" && group.dataset.case === name;
      group.classList.toggle("chosen", chosen);
      if (chosen) said.textContent = group.querySelector("title").textContent;
    }
  }
}
for (const plot of plots) {
  plot.addEventListener("pointerover", (event) => {
    const group = event.target.closest(".case");
    highlight(group ? group.dataset.case : choice.value);
  });
  plot.addEventListener("pointerleave", () => highlight(choice.value));
  plot.addEventListener("click", (event) => {
    const group = event.target.closest(".case");
    choice.value = group ? group.dataset.case : "";
    highlight(choice.value);
  });
}
choice.addEventListener("change", () => highlight(choice.value));

/* Gallery: the slider changes picture and outlines. A case's slices are read when its slider is first moved. */
for (const card of document.querySelectorAll(".card")) {
  const slider = card.querySelector("input");
  const picture = card.querySelector(".picture");
  let slices = null;
  slider.addEventListener("input", () => {
    slices ??= JSON.parse(card.querySelector("script").textContent);
    const slice = slices[slider.value - 1];
    picture.querySelector("image").setAttribute("href", "data:image/webp;base64," + slice.image);
    for (const path of picture.querySelectorAll("path")) path.setAttribute("d", slice[path.dataset.outline] ?? "");
    card.querySelector(".position output").textContent = slice.number;
    const words = `slice ${slice.number} of ${card.dataset.depth}`;
    slider.setAttribute("aria-valuetext", words);
    picture.setAttribute("aria-label", `S${words.slice(1)} of ${card.dataset.case}, with outlines`);
  });
  slider.value = slider.defaultValue; // a browser that reloads the page would keep the place, but not the picture
}
for (const box of document.querySelectorAll(".switches input")) {
  const show = () => {
    for (const path of document.querySelectorAll(`.picture [data-outline="${box.dataset.outline}"]`))
      path.toggleAttribute("hidden", !box.checked);
  };
  box.addEventListener("change", show);
  show(); // as above
}

/* Paper has no folds. */
const folds = [...document.querySelectorAll("details")];
let closed = [];
addEventListener("beforeprint", () => {
  closed = folds.filter((fold) => !fold.open);
  for (const fold of closed) fold.open = true;
});
addEventListener("afterprint", () => {
  for (const fold of closed) fold.open = false;
});
