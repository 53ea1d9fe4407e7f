// How search ranks: what is there to be read comes before the reference, a chapter before other pages that say as much.
var Scorer = {
  score: ([docname, title, anchor, description, score]) => {
    if (docname.startsWith("book/api/")) return score;
    return score + (/^book\/\d\d_/.test(docname) ? 1001 : 1000);
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
