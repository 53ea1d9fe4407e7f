// Figure 4: beam search as a tree of beginnings: which are kept at every step, which are dropped, which have ended.
(function (course) {
  "use strict";
  const { box, line, svg, text } = course.drawing;
  const { affine, rnnStep, softmax } = course.networks;
  const { ranked, score, search } = course.searching;
  const { begun, otherwise, steps, symbols, table } = course.beam;
  const { alphabet, weights } = course.letters;

  // The letter network of the home page, having read some words; a space ends what it writes.
  function network(words) {
    const after = (h, token) => rnnStep(weights, [...alphabet].map((_, k) => (k === token ? 1 : 0)), h);
    const first = [...words].reduce((h, letter) => after(h, alphabet.indexOf(letter)), weights.b.map(() => 0));
    const says = (h) => softmax(affine(weights.V, h, weights.c));
    return { end: alphabet.indexOf(" "), steps: steps.letters, first, after, says, symbols: [...alphabet.replace(" ", "␣")] };
  }
  // Chapter 10's table: a row of probabilities for some beginnings, and one for all others.
  const scripted = {
    end: 0, steps: steps.table, first: "", symbols: [...symbols],
    after: (read, token) => read + symbols[token],
    says: (read) => table[read] ?? otherwise,
  };
  const models = { ...Object.fromEntries(Object.entries(begun).map(([name, words]) => [name, network(words)])), table: scripted };

  const found = (values) => search(models[values.model], values.width);
  const number = (x) => x.toFixed(x > -9.995 ? 2 : 1).replace("-", "−"); // of one width
  const chance = (place) => Math.exp(place.total).toPrecision(2);
  const speller = ({ symbols: names }) => (place) => place.tokens.map((token) => names[token]).join("");
  const greedy = (values) => search(models[values.model], 1).places[0];
  const begins = (place, whole) => place.tokens.every((token, k) => token === whole.tokens[k]);

  const ROWS = 8; // of a column at most
  const HIGH = 25;
  const TOP = 52;

  const all = ({ waiting, kept, dropped }) => [...waiting, ...kept, ...dropped];
  // As many rows at every step, so that nothing below moves while one walks.
  const height = (values) => Math.min(ROWS, Math.max(...found(values).steps.map((step) => all(step).length)));

  // A beginning's box: filled where it is kept, with a tick where it has ended, words alone where it is dropped.
  function node(x, y, width, place, spelled, kind) {
    const words = text(x + 5, y + 4, spelled(place), kind === "lost" ? "lf-letter lf-small" : "lf-letter lf-beginning", "start") +
      text(x + width - 4, y + 4, number(place.total), "lf-small", "end");
    return (kind === "lost" ? "" : box(x, y - 10, width, 20, `lf-${kind}`, { rx: 4 })) + words;
  }

  // Where step t + 1 stands; a narrow drawing shows the last three steps that were walked.
  function grid({ step }, narrow, width, steps) {
    const now = Math.min(step, steps);
    const across = narrow ? Math.min(3, steps) : steps;
    const from = Math.max(0, now - across);
    const left = from ? 16 : 30;
    const each = Math.min((width - left - 4) / across, 170);
    const wide = each - (narrow ? 15 : 21);
    const x = (t) => left + (t - from + 1) * each - wide;
    const before = (t) => (t === 0 ? 20 : t === from ? 2 : x(t - 1) + wide); // where lines to this step come from
    return { now, from, to: from + across, wide, x, before, y: (row) => TOP + HIGH * (row + 0.5) };
  }

  // One step: its beginnings in their order, each with a line from the one that it continues.
  function column(step, t, rows, { wide, x, y, before }, spelled) {
    const shown = all(step).slice(0, ROWS);
    const hidden = all(step).length - shown.length;
    const drawn = shown.map((place, row) => {
      const waits = row < step.waiting.length;
      const kind = row >= step.waiting.length + step.kept.length ? "lost" : place.ended ? "ended" : "kept";
      const from = rows.get(waits ? place : place.parent) ?? 0;
      return line(before(t), y(from), x(t), y(row), `lf-to lf-to-${waits ? "wait" : kind}`) +
        node(x(t), y(row), wide, place, spelled, kind);
    });
    if (hidden) drawn.push(text(x(t) + wide, y(ROWS) + 1, `and ${hidden} more`, "lf-small", "end"));
    return drawn.join("");
  }

  function tree(values, narrow, width) {
    const { steps: walked } = found(values);
    const spelled = speller(models[values.model]);
    const places = grid(values, narrow, width, walked.length);
    const { now, from, to, wide, x, y } = places;
    let inside = from ? "" : box(8, y(0) - 6, 12, 12, "lf-kept", { rx: 6 }); // the empty beginning
    let rows = new Map(); // where the last step's beginnings stand
    walked.slice(0, to).forEach((step, t) => {
      if (t >= from) inside += text(x(t) + wide / 2, TOP - 8, `step ${t + 1}`, t === now - 1 ? "lf-small lf-now" : "lf-small");
      if (t >= from && t < now) inside += column(step, t, rows, places, spelled);
      rows = new Map([...step.waiting, ...step.kept].map((place, row) => [place, row]));
    });
    return inside;
  }

  function key() {
    const names = [["kept", "kept"], ["ended", "ended, keeps its place"], ["lost", "dropped"]];
    let at = 8;
    return names.map(([kind, words]) => {
      const sample = kind === "lost" ? line(at, 14, at + 18, 14, "lf-to lf-to-lost") : box(at, 7, 18, 14, `lf-${kind}`, { rx: 4 });
      const drawn = sample + text(at + 23, 18, words, "lf-small", "start");
      at += 44 + 6.2 * words.length;
      return drawn;
    }).join("");
  }

  // The table below the tree, once the search is over.
  function ranking(values, narrow, width, top) {
    const run = found(values);
    const spelled = speller(models[values.model]);
    const over = values.step >= run.steps.length;
    const head = text(8, top, over ? "the last ranking" : "the last ranking comes when the search is over", "lf-muted", "start");
    if (!over) return head;
    const columns = narrow ? [26, 160, 210, width - 8] : [26, 220, 320, 430];
    const names = ["log p", "length", ["score", "log p / n"][values.penalty] ?? `log p / n^${values.penalty}`];
    return head + ranked(run, values.penalty).map((place, k) => {
      const y = top + 42 + 20 * k;
      const cells = [number(place.total), place.tokens.length, number(score(place, values.penalty))];
      return text(8, y, k + 1, "lf-small", "start") + text(columns[0], y, spelled(place) + (place.ended ? "" : "…"), "lf-letter", "start") +
        cells.map((cell, c) => text(columns[c + 1], y, cell, k ? "lf-small" : "", "end")).join("");
    }).join("") + names.map((name, c) => text(columns[c + 1], top + 21, name, "lf-small", "end")).join("");
  }

  // The same in words, for the line below and for who does not see the drawing.
  function told(values) {
    const run = found(values);
    const spelled = speller(models[values.model]);
    const alone = greedy(values);
    const say = (place) => `${spelled(place)} (${number(place.total)})`;
    if (!values.step) return "One beginning, the empty one, with the log-probability 0.";
    if (values.step >= run.steps.length) {
      const first = ranked(run, values.penalty)[0];
      const whole = first.ended ? "" : "cut off unfinished, ";
      const outcome = `The search is over. First stands ${spelled(first)}, ${whole}with the probability ${chance(first)}`;
      if (values.width === 1) return `${outcome}. A beam of one is greedy decoding.`;
      if (begins(first, alone) && begins(alone, first)) return `${outcome}: what greedy decoding finds, too.`;
      const verdict = first.total > alone.total ? "less likely: here greedy loses" : "likelier: here the beam loses to greedy";
      return `${outcome}. Greedy decoding finds ${spelled(alone)}, with ${chance(alone)}, which is ${verdict}.`;
    }
    const { waiting, kept, dropped } = run.steps[values.step - 1];
    const some = dropped.slice(0, 2).map(say).join(", ");
    const more = dropped.length > 2 ? ` and ${dropped.length - 2} more` : "";
    const rest = [
      waiting.length ? `Ended before, in their places: ${waiting.map(say).join(", ")}.` : "",
      `Kept: ${kept.map(say).join(", ")}.`,
      dropped.length ? `Dropped: ${some}${more}.` : "Nothing is dropped.",
      dropped.some((place) => begins(place, alone)) ? "Among the dropped is the beginning that greedy decoding goes on with." : "",
    ];
    return `Step ${values.step}: ${kept.length + dropped.length} continuations. ${rest.filter(Boolean).join(" ")}`;
  }

  function view(values, narrow) {
    const width = narrow ? 340 : 720;
    const foot = TOP + HIGH * height(values) + 42;
    const words = told(values);
    const drawing = key() + tree(values, narrow, width) + ranking(values, narrow, width, foot);
    return { svg: svg(width, foot + 30 + 20 * values.width, words, drawing), words };
  }

  const last = (values) => found(values).steps.length;
  course.figures.beam = {
    title: "Beam search, step by step",
    controls: [
      {
        kind: "choice", name: "model", label: "Model", start: "lord",
        options: { lord: "letters, after “and the lord said”", she: "letters, after “and she”", table: "the table of this chapter" },
      },
      { kind: "range", name: "width", label: "Width of the beam", min: 1, max: 4, step: 1, start: 2, say: (v) => (v === 1 ? "1 (greedy)" : v) },
      { kind: "range", name: "penalty", label: "Length penalty α", min: 0, max: 1, step: 0.25, start: 0, say: (v) => v.toFixed(2) },
      { kind: "steps", name: "step", label: "Step", min: 0, max: last, step: 1, start: 4, say: (v, values) => `${v} of ${last(values)}` },
    ],
    view,
    found,
    ranked: (values) => ranked(found(values), values.penalty),
    models,
  };
})(globalThis.rnncourse);
