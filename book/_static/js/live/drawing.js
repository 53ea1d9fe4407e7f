// Words for drawing: every function returns SVG markup as a string, so that a figure is drawn alike in Node, when the
// site is built, and in the browser, when a reader moves a control.
(function (course) {
  "use strict";

  const escape = (words) =>
    String(words).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
  const short = (x) => (Number.isFinite(x) ? String(Math.round(x * 100) / 100) : "0");
  const attributes = (named) =>
    Object.entries(named)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => ` ${name}="${escape(typeof value === "number" ? short(value) : value)}"`)
      .join("");

  const element = (name, named, inside = "") => `<${name}${attributes(named)}>${inside}</${name}>`;
  const text = (x, y, words, kind = "", anchor = "middle") =>
    element("text", { x, y, class: kind || undefined, "text-anchor": anchor }, escape(words));
  const line = (x1, y1, x2, y2, kind = "") => element("line", { x1, y1, x2, y2, class: kind || undefined });
  const box = (x, y, width, height, kind = "", more = {}) =>
    element("rect", { x, y, width: Math.max(0, width), height: Math.max(0, height), class: kind || undefined, ...more });
  const path = (points, kind) =>
    element("path", { d: points.map(([x, y], i) => `${i ? "L" : "M"}${short(x)} ${short(y)}`).join(""), class: kind });

  // A cell coloured by a number between -1 and 1: amber below zero, blue above, the paper's colour at zero.
  const shade = (x, y, width, height, value) =>
    box(x, y, width, height, value < 0 ? "lf-minus" : "lf-plus", { "fill-opacity": Math.min(1, Math.abs(value)) }) +
    box(x, y, width, height, "lf-frame");

  // A bar from the line y = zero, up for positive values.
  const bar = (x, zero, width, value, unit, kind) =>
    box(x, value < 0 ? zero : zero - value * unit, width, Math.abs(value) * unit, kind);

  const svg = (width, height, title, inside) =>
    `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">` +
    `${inside}</svg>`;

  // 0.00032 as 3·10⁻⁴, for numbers that run over many powers of ten.
  function power(value) {
    if (value === 0) return "0";
    if (!Number.isFinite(value)) return "beyond what a number holds";
    const exponent = Math.floor(Math.log10(Math.abs(value)));
    if (exponent >= -2 && exponent <= 2) return value.toPrecision(2);
    const digits = String(Math.abs(exponent)).replace(/./g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]);
    return `${(value / 10 ** exponent).toFixed(1)}·10${exponent < 0 ? "⁻" : ""}${digits}`;
  }

  course.drawing = { bar, box, element, escape, line, path, power, shade, svg, text };
})((globalThis.rnncourse ??= {}));
