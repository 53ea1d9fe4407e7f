// Figure 2: one LSTM unit, its gates moved by their biases, and what this does to the memory and to its gradient.
(function (course) {
  "use strict";
  const { bar, line, path, power, svg, text } = course.drawing;
  const { lstmJacobian, lstmStep } = course.networks;

  const STEPS = 24;
  const PULSE = 3; // the step, counted from 1, at which the input is one
  const PATTERNS = {
    pulse: (t) => (t === PULSE ? 1 : 0),
    two: (t) => (t === PULSE ? 1 : t === 13 ? -1 : 0),
    noise: (t) => (t === PULSE ? 1 : 0.6 * Math.sin(12.9898 * t * t)),
  };

  // The input opens the input gate and is what is written; otherwise the gates stand where their biases put them.
  const weightsOf = ({ input, forget, output, recurrent }) => ({
    U: [[4], [0], [2], [0]],
    W: [[recurrent], [recurrent], [recurrent], [recurrent]],
    b: [input, forget, 0, output],
  });

  function run(values) {
    const weights = weightsOf(values);
    let before = { h: [0], c: [0] };
    const steps = [];
    for (let t = 1; t <= STEPS; t++) steps.push((before = lstmStep(weights, [PATTERNS[values.pattern](t)], before.h, before.c)));
    // Backwards: the product of the forget gates, and the whole derivative of the last c by every c before it.
    const highway = [];
    const whole = [];
    let gates = 1;
    let row = [0, 1]; // by (h, c)
    for (let t = STEPS; t >= 1; t--) {
      highway[t - 1] = gates;
      const { o, c } = steps[t - 1];
      whole[t - 1] = row[1] + row[0] * o[0] * (1 - Math.tanh(c[0]) ** 2); // the output h_t comes from c_t, too
      gates *= steps[t - 1].f[0];
      const jacobian = lstmJacobian(weights, steps[t - 1]);
      row = [0, 1].map((k) => row[0] * jacobian[0][k] + row[1] * jacobian[1][k]);
    }
    return { steps, highway, whole };
  }

  function panel(top, height, name, inside, left, width) {
    return (
      text(left, top - 6, name, "lf-muted", "start") + line(left, top + height, left + width, top + height, "lf-axis") + inside
    );
  }

  function view(values, narrow) {
    const width = narrow ? 340 : 720;
    const left = 10;
    const across = width - 2 * left;
    const each = across / STEPS;
    const { steps, highway, whole } = run(values);
    const x = (t) => left + (t + 0.5) * each;
    const curve = (series, top, height, kind) => path(series.map((v, t) => [x(t), top + height * (1 - v)]), kind);

    const gateLines = ["i", "f", "o"].map((gate) => curve(steps.map((s) => s[gate][0]), 24, 76, `lf-line lf-${gate}`)).join("");
    const largest = Math.max(1, ...steps.map((s) => Math.abs(s.c[0])));
    const memory = steps
      .map((s, t) => bar(x(t) - 0.38 * each, 190, 0.42 * each, s.c[0], 50 / largest, "lf-memory") +
        bar(x(t) + 0.06 * each, 190, 0.32 * each, s.h[0], 50 / largest, "lf-shown"))
      .join("");
    const high = Math.max(1, ...whole.map(Math.abs));
    const back = highway.map((v, t) => bar(x(t) - 0.38 * each, 350, 0.76 * each, v, 70 / high, "lf-highway")).join("") +
      path(whole.map((v, t) => [x(t), 350 - (70 * v) / high]), "lf-line lf-whole");
    const key = [["i", "input gate"], ["f", "forget gate"], ["o", "output gate"]]
      .map(([gate, name], k) => {
        const at = (narrow ? 118 : 480) + k * (narrow ? 75 : 82);
        return line(at, 14, at + 10, 14, `lf-line lf-${gate}`) + text(at + 13, 18, narrow ? name.split(" ")[0] : name, "lf-small", "start");
      })
      .join("");
    const drawing =
      panel(24, 76, "gates, 0 to 1", gateLines, left, across) + key +
      text(left, 122, "memory c (wide bars), output h (narrow)", "lf-muted", "start") + line(left, 190, left + across, 190, "lf-axis") + memory +
      panel(280, 70, narrow ? "gradient of the last c by every c" : "gradient of the last c by every c: bars along the memory alone, line in all", back, left, across) +
      [1, PULSE, 12, STEPS].map((t) => text(x(t - 1), 368, t, "lf-small")).join("");

    const then = steps[PULSE - 1].c[0];
    const now = steps[STEPS - 1].c[0];
    const words =
      `Step ${PULSE} wrote ${then.toFixed(2)} into the memory; at step ${STEPS} it holds ${power(now)}. ` +
      `The forget gate stands at ${steps[STEPS - 1].f[0].toFixed(3)}; of the gradient at step ${STEPS}, ` +
      `${power(highway[PULSE - 1])} comes back to step ${PULSE} along the memory, ${power(whole[PULSE - 1])} in all.`;
    return { svg: svg(width, 376, words, drawing), words };
  }

  const bias = (name, label, start) => ({ kind: "range", name, label, min: -6, max: 6, step: 0.25, start, say: (v) => Number(v).toFixed(2) });
  course.figures.gates = {
    title: "One LSTM unit, and its three gates",
    controls: [
      bias("forget", "Forget bias", 1),
      bias("input", "Input bias", -2),
      bias("output", "Output bias", 3),
      { kind: "range", name: "recurrent", label: "Weight from h to the gates", min: -3, max: 3, step: 0.25, start: 0, say: (v) => Number(v).toFixed(2) },
      { kind: "choice", name: "pattern", label: "Input", start: "pulse", options: { pulse: "one pulse", two: "a pulse, then its opposite", noise: "a pulse, then noise" } },
    ],
    view,
    run,
    weightsOf,
    inputs: (pattern) => Array.from({ length: STEPS }, (_, k) => PATTERNS[pattern](k + 1)),
  };
})(globalThis.rnncourse);
