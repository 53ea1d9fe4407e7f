/* Small help for the reader: a box that scrolls sideways can be reached by keyboard and shows where there is more. */
(function () {
  "use strict";
  const BOXES = "div.highlight pre, div.cell_output pre, .scroll, div.wide, .bd-article div.math";

  function look(box) {
    const more = box.scrollWidth - box.clientWidth;
    box.classList.toggle("more-before", more > 1 && box.scrollLeft > 1);
    box.classList.toggle("more-after", more > 1 && box.scrollLeft < more - 1);
    // The theme says -1 of what did not scroll when the page arrived, such as an output that waited for a prediction.
    if (more <= 1 || box.tabIndex === 0) return;
    box.setAttribute("tabindex", "0");
    if (box.matches(".scroll")) {
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "Figure");
    }
  }
  function start() {
    const boxes = [...document.querySelectorAll(BOXES)];
    const seen = new ResizeObserver((entries) => entries.forEach((entry) => look(entry.target)));
    boxes.forEach((box) => {
      box.addEventListener("scroll", () => look(box), { passive: true });
      seen.observe(box);
    });
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
