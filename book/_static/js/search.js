// Formulas in the excerpts of search results: once each, as one would type them, instead of all layers of KaTeX's markup.
(() => {
  if (typeof Search === "undefined") return;
  const letters = {
    alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ε", eta: "η", theta: "θ", lambda: "λ", mu: "μ", pi: "π",
    rho: "ρ", sigma: "σ", tau: "τ", phi: "φ", partial: "∂", sum: "∑", prod: "∏", odot: "⊙", cdot: "·", times: "×",
    leq: "≤", geq: "≥", neq: "≠", approx: "≈", infty: "∞", in: "∈", to: "→", top: "T", dots: "…", ldots: "…", quad: " ",
  };
  const typed = (latex) => latex
    .replace(/\\(?:begin|end)\{[a-z]+\*?\}/g, " ")
    .replace(/\\(?:tfrac|frac)\{([^{}]*)\}\{([^{}]*)\}/g, "$1/$2")
    .replace(/\\(?:mathbb|mathbf|mathrm|mathit|operatorname|text|hat|tilde|bar|left|right|[bB]igg?[lr]?)(?![a-zA-Z])/g, "")
    .replace(/\\([a-zA-Z]+)/g, (whole, name) => letters[name] ?? name)
    .replace(/\\[\\,;:! ]?|&/g, " ")
    .replace(/[{}]/g, "");
  const whole = Search.htmlToText;
  Search.htmlToText = (html, anchor) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    page.querySelectorAll(".katex").forEach((formula) => {
      const source = formula.querySelector("annotation");
      formula.replaceWith(source ? typed(source.textContent) : "");
    });
    return whole(page.documentElement.outerHTML, anchor);
  };
})();
