// The networks themselves: one step of an RNN and of an LSTM, and the Jacobians of both, in plain arrays.
// The same equations as rnncourse.functional; tests/test_live_figures.py holds the two equal to 1e-5.
(function (course) {
  "use strict";

  const sigmoid = (a) => 1 / (1 + Math.exp(-a));
  const ACTIVATIONS = {
    tanh: { value: Math.tanh, slope: (h) => 1 - h * h },
    relu: { value: (a) => Math.max(0, a), slope: (h) => (h > 0 ? 1 : 0) },
    identity: { value: (a) => a, slope: () => 1 },
  };

  const dot = (row, vector) => row.reduce((sum, w, j) => sum + w * vector[j], 0);
  const affine = (matrix, vector, bias) => matrix.map((row, i) => dot(row, vector) + (bias ? bias[i] : 0));
  const add = (a, b) => a.map((x, i) => x + b[i]);

  function softmax(scores) {
    const top = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - top));
    const total = powers.reduce((sum, p) => sum + p, 0);
    return powers.map((p) => p / total);
  }

  // h_t = f(U x_t + W h_{t-1} + b)
  function rnnStep(weights, x, h, activation = "tanh") {
    return add(affine(weights.U, x, weights.b), affine(weights.W, h)).map(ACTIVATIONS[activation].value);
  }

  // ∂h_t/∂h_{t-1} = diag(f') W
  function rnnJacobian(weights, h, activation = "tanh") {
    return weights.W.map((row, i) => row.map((w) => ACTIVATIONS[activation].slope(h[i]) * w));
  }

  // The gates stand in PyTorch's order i, f, g, o, a block of rows each.
  function lstmStep(weights, x, h, c) {
    const n = h.length;
    const a = add(affine(weights.U, x, weights.b), affine(weights.W, h));
    const part = (k, f) => a.slice(k * n, (k + 1) * n).map(f);
    const gates = { i: part(0, sigmoid), f: part(1, sigmoid), g: part(2, Math.tanh), o: part(3, sigmoid) };
    const next = c.map((value, j) => gates.f[j] * value + gates.i[j] * gates.g[j]);
    return { ...gates, c: next, h: next.map((value, j) => gates.o[j] * Math.tanh(value)), before: c };
  }

  // The Jacobian of (h_t, c_t) by (h_{t-1}, c_{t-1}), as one matrix of twice the width.
  function lstmJacobian(weights, step) {
    const n = step.c.length;
    const rows = [];
    for (let j = 0; j < n; j++) {
      const { i, f, g, o } = { i: step.i[j], f: step.f[j], g: step.g[j], o: step.o[j] };
      const through = (k, slope) => weights.W[k * n + j].map((w) => w * slope);
      const terms = [
        through(0, g * i * (1 - i)),
        through(1, step.before[j] * f * (1 - f)),
        through(2, i * (1 - g * g)),
      ];
      const byHidden = terms[0].map((_, m) => terms[0][m] + terms[1][m] + terms[2][m]);
      const byCell = step.c.map((_, m) => (m === j ? f : 0));
      const squashed = Math.tanh(step.c[j]);
      const slope = o * (1 - squashed * squashed);
      const gate = through(3, squashed * o * (1 - o));
      rows[j] = byHidden.map((d, m) => slope * d + gate[m]).concat(byCell.map((d) => slope * d));
      rows[n + j] = byHidden.concat(byCell);
    }
    return rows;
  }

  const multiply = (a, b) => a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0)));

  // The largest singular value: columns are turned in pairs until all stand at right angles (one-sided Jacobi, exact
  // where a power iteration would wait for two nearly equal values to part); their lengths are the singular values.
  function spectralNorm(matrix) {
    const largest = Math.max(...matrix.flat().map(Math.abs));
    if (!(largest > 0) || !Number.isFinite(largest)) return largest;
    const columns = matrix[0].map((_, j) => matrix.map((row) => row[j] / largest));
    for (let sweep = 0; sweep < 30; sweep++) {
      let turned = false;
      for (let j = 1; j < columns.length; j++) {
        for (let k = 0; k < j; k++) turned = turn(columns, j, k) || turned;
      }
      if (!turned) break;
    }
    return largest * Math.max(...columns.map((column) => Math.hypot(...column)));
  }

  function turn(columns, j, k) {
    const [u, v] = [columns[j], columns[k]];
    const [uu, vv, uv] = [dot(u, u), dot(v, v), dot(u, v)];
    if (Math.abs(uv) <= 1e-12 * Math.sqrt(uu * vv)) return false;
    const ratio = (vv - uu) / (2 * uv);
    const tangent = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.hypot(1, ratio));
    const cosine = 1 / Math.hypot(1, tangent);
    columns[j] = u.map((x, i) => cosine * (x - tangent * v[i]));
    columns[k] = v.map((x, i) => cosine * (x + tangent * u[i]));
    return true;
  }

  // ‖∂s_T/∂s_{T-k}‖ for k = 0, …, T, from the Jacobians of the steps 1, …, T; `pick` cuts out the part that counts.
  function gradientNorms(jacobians, pick = (matrix) => matrix) {
    let product = jacobians[0].map((row, i) => row.map((_, j) => (i === j ? 1 : 0)));
    const norms = [spectralNorm(pick(product))];
    for (let t = jacobians.length - 1; t >= 0; t--) {
      product = multiply(product, jacobians[t]);
      norms.push(spectralNorm(pick(product)));
    }
    return norms;
  }

  course.networks = {
    affine, gradientNorms, lstmJacobian, lstmStep, rnnJacobian, rnnStep, sigmoid, softmax, spectralNorm,
  };
})((globalThis.rnncourse ??= {}));
