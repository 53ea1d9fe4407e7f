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

  function prediction(cell) {
    const button = cell.querySelector(".reveal button");
    const open = () => {
      cell.classList.add("seen");
      cell.nextElementSibling?.classList.add("seen");
    };
    button.addEventListener("click", () => {
      open();
      const output = cell.querySelector(".cell_output");
      if (output) Object.assign(output, { tabIndex: -1 }).focus({ preventScroll: true });
    });
  }

  function start() {
    document.querySelectorAll("ul.choices").forEach((list) => (list.matches(".quiz") ? quiz(list) : choosable(list, () => {})));
    document.querySelectorAll(".cell.predicted").forEach(prediction);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
