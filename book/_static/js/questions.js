/* Predictions and quizzes: options become radio buttons, a chosen one is judged, and outputs wait to be opened. */
(function () {
  "use strict";
  let count = 0;

  // The list keeps its items and their formulas; each gets a radio button in front, in a place the style kept free.
  function choosable(list, chosen) {
    const name = `question-${++count}`;
    list.setAttribute("role", "radiogroup");
    list.setAttribute("aria-label", "Your answer");
    [...list.children].forEach((item) => {
      const letter = item.textContent.trim()[0];
      const id = `${name}-${letter}`;
      const label = document.createElement("label");
      label.htmlFor = id;
      label.append(...item.childNodes);
      const input = Object.assign(document.createElement("input"), { type: "radio", name, id, value: letter });
      item.setAttribute("role", "presentation");
      item.append(input, label);
      input.addEventListener("change", () => chosen(letter, item));
    });
  }

  function quiz(list) {
    const right = [...list.classList].find((name) => name.startsWith("answer-")).slice(7);
    const verdict = Object.assign(document.createElement("p"), { className: "verdict" });
    verdict.setAttribute("role", "status");
    list.after(verdict);
    choosable(list, (letter, item) => {
      [...list.children].forEach((other) => other.classList.remove("right", "wrong"));
      item.classList.add(letter === right ? "right" : "wrong");
      verdict.textContent = letter === right ? "Right. The answer below says why." : "Not that one. Try again, or open the answer.";
      if (letter === right) verdict.nextElementSibling?.setAttribute("open", "");
    });
  }

  // A prediction's part of the page: cells that stand next to one another, and what is told after them.
  function part(button) {
    const waits = (node) => node?.matches(".predicted, .told");
    let first = button.closest(".predicted");
    while (waits(first.previousElementSibling) && !first.previousElementSibling.matches(".told")) first = first.previousElementSibling;
    const found = [];
    for (let node = first; waits(node); node = node.nextElementSibling) {
      found.push(node);
      if (node.matches(".told")) break;
    }
    return found;
  }

  function prediction(button) {
    const waiting = part(button);
    const open = () => waiting.forEach((node) => node.classList.add("seen"));
    button.addEventListener("click", () => {
      open();
      const output = button.closest(".predicted").querySelector(".cell_output");
      if (output) Object.assign(output, { tabIndex: -1 }).focus({ preventScroll: true });
    });
    // A link to an equation or a figure in there opens it.
    const linked = () => {
      const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (!target || !waiting.some((node) => !node.matches(".seen") && node.contains(target))) return;
      open();
      target.scrollIntoView();
    };
    window.addEventListener("hashchange", linked);
    linked();
  }

  function start() {
    document.querySelectorAll("ul.choices").forEach((list) => (list.matches(".quiz") ? quiz(list) : choosable(list, () => {})));
    document.querySelectorAll(".predicted .reveal button").forEach(prediction);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
