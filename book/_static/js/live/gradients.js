// Figure 3: how much of a gradient is left after so many steps back, in an RNN and in an LSTM.
(function (course) {
  "use strict";
  const { line, path, power, svg, text } = course.drawing;
  const { gradientNorms, lstmJacobian, lstmStep, rnnJacobian, rnnStep } = course.networks;
  const { inputs, rnn, lstm } = course.draws;

  const scaled = (matrix, factor) => matrix.map((row) => row.map((w) => w * factor));

  // ‖∂h_T/∂h_{T-k}‖ of the RNN, its recurrent matrix scaled to the radius (it is drawn with radius one).
  function rnnNorms({ radius, activation, size, lag }) {
    const weights = { U: rnn.U, W: scaled(rnn.W, radius), b: rnn.b };
    let h = rnn.b.map(() => 0);
    const jacobians = inputs.slice(0, lag).map((x) => {
      h = rnnStep(weights, x.map((value) => value * size), h, activation);
      return rnnJacobian(weights, h, activation);
    });
    return gradientNorms(jacobians);
  }

  // ‖∂c_T/∂c_{T-k}‖ of the LSTM, along all paths.
  function lstmNorms({ forget, size, lag }) {
    const n = lstm.W[0].length;
    const weights = { U: lstm.U, W: lstm.W, b: lstm.b.map((b, k) => (k >= n && k < 2 * n ? forget : b)) };
    let step = { h: Array(n).fill(0), c: Array(n).fill(0) };
    const jacobians = inputs.slice(0, lag).map((x) => {
      step = lstmStep(weights, x.map((value) => value * size), step.h, step.c);
      return lstmJacobian(weights, step);
    });
    return gradientNorms(jacobians, (product) => product.slice(n).map((row) => row.slice(n)));
  }

  const LOW = -12;
  const HIGH = 8;

  function view(values, narrow) {
    const width = narrow ? 340 : 720;
    const [left, right, top, bottom] = [narrow ? 40 : 52, width - (narrow ? 16 : 90), 16, 270];
    const x = (k) => left + ((right - left) * k) / values.lag;
    const y = (norm) => {
      const exponent = norm > 0 ? Math.log10(norm) : LOW;
      return top + ((HIGH - Math.min(HIGH, Math.max(LOW, exponent))) / (HIGH - LOW)) * (bottom - top);
    };
    const ticks = [8, 4, 0, -4, -8, -12]
      .map((e) => line(left, y(10 ** e), right, y(10 ** e), e ? "lf-grid" : "lf-axis") +
        text(left - 5, y(10 ** e) + 4, e ? `10${e < 0 ? "⁻" : ""}${String(Math.abs(e)).replace(/./g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d])}` : "1", "lf-small", "end"))
      .join("");
    const lags = [0, 0.25, 0.5, 0.75, 1]
      .map((part) => text(x(Math.round(part * values.lag)), bottom + 16, Math.round(part * values.lag), "lf-small"))
      .join("");
    const [ofRnn, ofLstm] = [rnnNorms(values), lstmNorms(values)];
    const ends = narrow
      ? text(right - 2, top + 12, "RNN", "lf-small lf-of-rnn", "end") + text(right - 34, top + 12, "LSTM", "lf-small lf-of-lstm", "end")
      : text(right + 6, Math.min(bottom, y(ofRnn.at(-1))) + 4, "RNN, h", "lf-small lf-of-rnn", "start") +
        text(right + 6, y(ofLstm.at(-1)) + (Math.abs(y(ofLstm.at(-1)) - y(ofRnn.at(-1))) < 14 ? 18 : 4), "LSTM, c", "lf-small lf-of-lstm", "start");
    const drawing =
      ticks + lags + text((left + right) / 2, bottom + 34, "steps back", "lf-muted") +
      path(ofRnn.map((norm, k) => [x(k), y(norm)]), "lf-line lf-rnn") +
      path(ofLstm.map((norm, k) => [x(k), y(norm)]), "lf-line lf-lstm") + ends;
    const words =
      `${values.lag} steps back, the gradient of the RNN's state has the length ${power(ofRnn.at(-1))}, ` +
      `that of the LSTM's memory ${power(ofLstm.at(-1))} (one step from itself: 1).`;
    return { svg: svg(width, bottom + 42, words, drawing), words };
  }

  const number = (digits) => (v) => Number(v).toFixed(digits);
  course.figures.gradients = {
    title: "The gradient lab",
    controls: [
      { kind: "range", name: "radius", label: "Spectral radius of W", min: 0.2, max: 1.8, step: 0.05, start: 1, say: number(2) },
      { kind: "choice", name: "activation", label: "Activation", start: "tanh", options: { tanh: "tanh", relu: "ReLU", identity: "none (linear)" } },
      { kind: "range", name: "size", label: "Size of the inputs", min: 0, max: 3, step: 0.1, start: 0.5, say: number(1) },
      { kind: "range", name: "forget", label: "Forget bias of the LSTM", min: -2, max: 6, step: 0.25, start: 1, say: number(2) },
      { kind: "range", name: "lag", label: "Steps back", min: 5, max: 60, step: 1, start: 40, say: number(0) },
    ],
    view,
    rnnNorms,
    lstmNorms,
  };
})(globalThis.rnncourse);
