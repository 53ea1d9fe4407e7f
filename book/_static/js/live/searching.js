// Beam search in the open: what every step writes down, keeps and drops. The same search as rnncourse.seq2seq's
// beam_search; tests/test_live_beam.py holds the two equal to 1e-5.
(function (course) {
  "use strict";

  // Likelier first; of two equally likely ones that with the larger token, as chapter 10's code sorts them.
  const likelier = (a, b) => b.total - a.total || larger(b.tokens, a.tokens);
  function larger(a, b) {
    const k = a.findIndex((token, i) => token !== b[i]);
    return k < 0 ? a.length - b.length : a[k] - (b[k] ?? -1);
  }

  // A model is { end, steps, first, after(state, token) → state, says(state) → probabilities of what comes next }.
  function grow(model, place) {
    return model.says(place.state).flatMap((p, token) => {
      if (!(p > 0)) return [];
      const total = place.total + Math.log(p);
      return [{ tokens: [...place.tokens, token], total, parent: place, ended: token === model.end }];
    });
  }

  // For every step: who waits (finished before, its place kept), who takes a free place, and who is dropped.
  function search(model, width) {
    let places = [{ tokens: [], total: 0, state: model.first, ended: false }];
    const steps = [];
    while (steps.length < model.steps && places.some((place) => !place.ended)) {
      const waiting = places.filter((place) => place.ended);
      const grown = places.filter((place) => !place.ended).flatMap((place) => grow(model, place)).sort(likelier);
      const kept = grown.slice(0, width - waiting.length);
      for (const place of kept) {
        if (!place.ended) place.state = model.after(place.parent.state, place.tokens.at(-1));
      }
      steps.push({ waiting, kept, dropped: grown.slice(kept.length) });
      places = [...waiting, ...kept];
    }
    return { steps, places };
  }

  // score(y) = log p(y) / n^α, n the length with the end mark; it matters in this last ranking alone.
  const score = (place, penalty) => place.total / place.tokens.length ** penalty;
  const ranked = ({ places }, penalty) =>
    [...places].sort((a, b) => score(b, penalty) - score(a, penalty) || larger(b.tokens, a.tokens));

  course.searching = { ranked, score, search };
})((globalThis.rnncourse ??= {}));
