/* Where the reader is: kept in this browser alone, and shown as ticks in the side bar and a way back on the first page. */
(function () {
  "use strict";
  const KEY = "rnncourse-reading";
  const here = location.pathname.split("/").pop().replace(/\.html$/, "");
  const isChapter = (name) => /^\d\d_/.test(name);

  function kept() {
    try {
      return JSON.parse(localStorage.getItem(KEY)) ?? { read: [] };
    } catch {
      return { read: [] }; // storage is switched off, or holds something else
    }
  }
  function keep(change) {
    try {
      localStorage.setItem(KEY, JSON.stringify({ ...kept(), ...change }));
    } catch {
      /* nothing is kept, then */
    }
  }

  function ticks() {
    const { read = [] } = kept();
    document.querySelectorAll(".bd-sidebar-primary a.reference.internal").forEach((link) => {
      const name = new URL(link.href, location.href).pathname.split("/").pop().replace(/\.html$/, "");
      const done = read.includes(name);
      link.classList.toggle("read", done);
      if (done) link.title = "You have read this to its end";
    });
  }

  function backTo() {
    const button = document.querySelector(".continue-reading a");
    const { last } = kept();
    if (!button || !last || !isChapter(last.page ?? "")) return;
    button.href = `${last.page}.html${/^[\w-]+$/.test(last.section ?? "") ? `#${last.section}` : ""}`;
    button.textContent = `Continue with chapter ${Number(last.page.slice(0, 2))}`;
    button.closest(".continue-reading").classList.add("known");
  }

  // The section on screen is remembered; the last section on screen makes the chapter read.
  function follow() {
    const sections = [...document.querySelectorAll("article.bd-article section[id] > h2")].map((h) => h.parentElement);
    if (!isChapter(here) || !sections.length) return;
    const watcher = new IntersectionObserver((entries) => {
      const shown = entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target);
      if (!shown.length) return;
      const section = shown[shown.length - 1];
      keep({ last: { page: here, section: section.id } });
      const { read = [] } = kept();
      if (section === sections[sections.length - 1] && !read.includes(here)) {
        keep({ read: [...read, here] });
        ticks();
      }
    }, { rootMargin: "-20% 0px -50% 0px" });
    sections.forEach((section) => watcher.observe(section));
  }

  function start() {
    ticks();
    backTo();
    follow();
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
