// Figure 1: an RNN unrolled over the text that the reader types, with its state and what it expects next.
(function (course) {
  "use strict";
  const { box, line, shade, svg, text } = course.drawing;
  const { rnnStep, softmax, affine } = course.networks;
  const { alphabet, weights } = course.letters;

  const known = (words) => [...words.toLowerCase()].map((letter) => (alphabet.includes(letter) ? letter : " "));
  const oneHot = (letter) => [...alphabet].map((other) => (other === letter ? 1 : 0));
  const visible = (letter) => (letter === " " ? "␣" : letter);

  // For every letter: the state after it, and the probabilities of the next.
  function read(words) {
    let h = weights.b.map(() => 0);
    return known(words).map((letter) => {
      h = rnnStep(weights, oneHot(letter), h);
      return { letter, h, next: softmax(affine(weights.V, h, weights.c)) };
    });
  }

  const likeliest = (next, count) =>
    next.map((p, k) => ({ letter: alphabet[k], p })).sort((a, b) => b.p - a.p).slice(0, count);
  const percent = (p) => `${Math.round(100 * p)} %`;

  function column(step, x, width) {
    const middle = x + width / 2;
    let inside = "";
    likeliest(step.next, 3).forEach(({ letter, p }, rank) => {
      const y = 30 + 20 * rank;
      inside += box(x + 22, y - 10, (width - 34) * p, 13, "lf-bar") + text(x + 13, y, visible(letter), "lf-letter");
    });
    inside += line(middle, 108, middle, 88, "lf-arrow");
    step.h.forEach((value, unit) => { inside += shade(middle - 13, 110 + 6 * unit, 26, 6, value); });
    const foot = 110 + 6 * step.h.length;
    inside += line(middle, foot + 22, middle, foot + 2, "lf-arrow");
    return inside + text(middle, foot + 38, visible(step.letter), "lf-letter lf-strong");
  }

  function view({ words }, narrow) {
    const width = narrow ? 340 : 720;
    const shown = narrow ? 5 : 11;
    const left = narrow ? 16 : 72;
    const steps = read(words || " ");
    const late = steps.slice(-shown);
    const each = (width - left - 8) / shown;
    const rows = steps[0].h.length;
    const foot = 110 + 6 * rows;
    let inside = "";
    if (!narrow) {
      inside += text(4, 50, "expects", "lf-muted", "start") + text(4, 110 + 3 * rows, "state h", "lf-muted", "start");
      inside += text(4, foot + 38, "reads", "lf-muted", "start");
    }
    late.forEach((step, k) => {
      const x = left + k * each;
      inside += column(step, x, each);
      if (k) inside += line(x - each / 2 + 14, 110 + 3 * rows, x + each / 2 - 16, 110 + 3 * rows, "lf-arrow lf-state");
    });
    const last = steps[steps.length - 1];
    const guesses = likeliest(last.next, 3).map(({ letter, p }) => `${letter === " " ? "a space" : letter} (${percent(p)})`);
    const sentence = `After “${known(words || " ").join("")}” the network expects ${guesses.join(", ")}.`;
    return { svg: svg(width, foot + 48, sentence, inside), words: sentence };
  }

  course.figures.unrolled = {
    title: "A recurrent network reads what you type",
    controls: [{ kind: "text", name: "words", label: "Type letters and spaces", start: "and the lord said", longest: 60 }],
    view,
    read,
  };
})(globalThis.rnncourse);
