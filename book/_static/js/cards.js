/* What a term, an equation or a reference says, on a card beside the link: by pointer, keyboard focus and touch.
   The link stays a link; without scripts its title says the same, or one follows it. */
(function () {
  "use strict";
  const LINKS = "article a.term, article a[href*='#equation-']:not(.headerlink), article a[href*='bibliography.html#']";
  const WAIT = 250; // milliseconds between the pointer's arrival and the card
  let card, shown, timer;

  // Equations are copied from this page, or from what the build put at its end; the rest is the link's title.
  function content(link) {
    const place = decodeURIComponent(link.hash.slice(1));
    if (place.startsWith("equation-")) {
      const kept = document.querySelector(`template[data-card="${CSS.escape(place)}"]`);
      const formula = kept ? kept.content.firstElementChild : document.getElementById(place);
      const copy = formula?.cloneNode(true);
      copy?.removeAttribute("id");
      copy?.removeAttribute("tabindex");
      copy?.querySelectorAll(".headerlink").forEach((anchor) => anchor.remove());
      return copy;
    }
    const text = link.dataset.says;
    return text ? Object.assign(document.createElement("p"), { textContent: text }) : null;
  }

  function put(link) {
    const where = link.getClientRects()[0];
    const wide = Math.min(480, document.documentElement.clientWidth - 24);
    card.style.maxWidth = `${wide}px`;
    const left = Math.min(where.left, document.documentElement.clientWidth - card.offsetWidth - 12);
    const below = where.bottom + 6 + card.offsetHeight < innerHeight || where.top < card.offsetHeight + 12;
    card.style.left = `${Math.max(12, left) + scrollX}px`;
    card.style.top = `${(below ? where.bottom + 6 : where.top - card.offsetHeight - 6) + scrollY}px`;
  }

  function show(link, touched) {
    clearTimeout(timer);
    if (shown === link) return true;
    hide();
    const inside = content(link);
    if (!inside) return false;
    card.replaceChildren(inside);
    if (touched) card.append(Object.assign(document.createElement("p"), { className: "onward" }));
    if (touched) card.lastChild.append(Object.assign(document.createElement("a"), { href: link.href, textContent: "Go there" }));
    card.hidden = false;
    link.setAttribute("aria-describedby", card.id);
    shown = link;
    put(link);
    return true;
  }
  function hide() {
    clearTimeout(timer);
    card.hidden = true;
    shown?.removeAttribute("aria-describedby");
    shown = null;
  }
  const later = (what) => {
    clearTimeout(timer);
    timer = setTimeout(what, WAIT);
  };

  function start() {
    const links = [...document.querySelectorAll(LINKS)];
    if (!links.length) return;
    card = Object.assign(document.createElement("div"), { id: "card", className: "hover-card bd-article", hidden: true });
    card.setAttribute("role", "tooltip");
    (document.querySelector("article") ?? document.body).append(card);
    let pointer = "mouse";
    document.addEventListener("pointerdown", (event) => (pointer = event.pointerType), true);
    links.forEach((link) => {
      link.dataset.says = link.title;
      if (link.title) link.removeAttribute("title"); // or the browser would show it as well
      link.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && later(() => show(link)));
      link.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && later(hide));
      link.addEventListener("focus", () => link.matches(":focus-visible") && show(link));
      link.addEventListener("blur", () => later(hide));
      link.addEventListener("click", (event) => {
        if (pointer === "touch" && shown !== link && show(link, true)) event.preventDefault();
      });
    });
    card.addEventListener("pointerenter", () => clearTimeout(timer));
    card.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && later(hide));
    document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
    document.addEventListener("pointerdown", (event) => {
      if (shown && !card.contains(event.target) && !shown.contains(event.target)) hide();
    });
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
