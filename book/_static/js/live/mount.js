// A live figure is a description: { title, hint, controls, view(values, narrow) → { svg, words } }. A control's largest
// value may hang on the controls before it; `say` writes its value, and is told all of them.
// `markup` writes it as HTML when the site is built; `mount` lets the reader's controls redraw it.
(function (course) {
  "use strict";
  const { escape } = course.drawing;
  const figures = (course.figures ??= {});

  const minus = (words) => String(words).replace(/^-/, "−");
  const starting = (figure) => Object.fromEntries(figure.controls.map((control) => [control.name, control.start]));

  const most = (c, values) => (typeof c.max === "function" ? c.max(values) : c.max);
  const slides = (c) => c.kind === "range" || c.kind === "steps";

  const INPUTS = {
    range: (c, id, values) =>
      `<input type="range" id="${id}" name="${c.name}" min="${c.min}" max="${most(c, values)}" step="${c.step}" value="${c.start}">` +
      `<output for="${id}">${escape(minus(c.say(c.start, values)))}</output>`,
    // A slider between two buttons, for what is walked through.
    steps: (c, id, values) =>
      `<button type="button" data-by="-1" data-for="${id}" aria-label="${escape(c.label)}: back">Back</button>` +
      INPUTS.range(c, id, values) +
      `<button type="button" data-by="1" data-for="${id}" aria-label="${escape(c.label)}: forward">Forward</button>`,
    choice: (c, id) =>
      `<select id="${id}" name="${c.name}">` +
      Object.entries(c.options)
        .map(([value, words]) => `<option value="${value}"${value === c.start ? " selected" : ""}>${escape(words)}</option>`)
        .join("") +
      "</select>",
    text: (c, id) =>
      `<input type="text" id="${id}" name="${c.name}" value="${escape(c.start)}" maxlength="${c.longest}" ` +
      `autocomplete="off" autocapitalize="none" spellcheck="false">`,
  };

  function control(name, c, values) {
    const id = `live-${name}-${c.name}`;
    return `<div class="lf-control lf-by-${c.kind}"><label for="${id}">${escape(c.label)}</label>${INPUTS[c.kind](c, id, values)}</div>`;
  }

  // Everything that stands inside <figure data-figure="name">: wide and narrow drawing, words, and controls that wait.
  function markup(name) {
    const figure = figures[name];
    const values = starting(figure);
    const wide = figure.view(values, false);
    const narrow = figure.view(values, true);
    return (
      `<fieldset class="lf-controls" disabled><legend>${escape(figure.title)}</legend>` +
      figure.controls.map((c) => control(name, c, values)).join("") +
      "</fieldset>" +
      `<div class="lf-drawing lf-wide">${wide.svg}</div><div class="lf-drawing lf-narrow">${narrow.svg}</div>` +
      `<p class="lf-words" aria-live="polite">${escape(wide.words)}</p>`
    );
  }

  function mount(holder) {
    const figure = figures[holder.dataset.figure];
    const fields = holder.querySelector("fieldset");
    const inputs = [...fields.querySelectorAll("input, select")];
    let waiting = 0;

    function redraw() {
      waiting = 0;
      const values = {};
      for (const input of inputs) {
        const described = figure.controls.find((c) => c.name === input.name);
        if (slides(described)) input.max = most(described, values); // the browser lowers a value that is beyond it
        values[input.name] = slides(described) ? Number(input.value) : input.value;
        const said = fields.querySelector(`output[for="${input.id}"]`);
        if (said) said.textContent = minus(described.say(values[input.name], values));
      }
      const wide = figure.view(values, false);
      holder.querySelector(".lf-wide").innerHTML = wide.svg;
      holder.querySelector(".lf-narrow").innerHTML = figure.view(values, true).svg;
      holder.querySelector(".lf-words").textContent = wide.words;
    }
    // One drawing a frame, however fast a slider is dragged.
    fields.addEventListener("input", () => { waiting ||= requestAnimationFrame(redraw); });
    fields.addEventListener("click", ({ target }) => {
      const input = target.dataset.by && fields.querySelector(`#${target.dataset.for}`);
      if (!input) return;
      input.stepUp(Number(target.dataset.by)); // stays between the ends
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
    fields.disabled = false;
    redraw(); // a browser may have kept what the reader chose before
  }

  course.live = { markup, mount, starting };
  if (typeof document === "undefined") return;
  const all = () => document.querySelectorAll("figure[data-figure]").forEach(mount);
  if (document.readyState === "complete") all();
  else document.addEventListener("DOMContentLoaded", all);
})((globalThis.rnncourse ??= {}));
