"""A class on one page, for whoever teaches it: how the points lie, what was hard, and what went wrong most often."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import mean, median
from typing import Any

from rnncourse.grading.classes.rows import Row
from rnncourse.grading.page import document, escape

__all__ = ["as_page", "hardest", "histogram", "mistakes"]

BINS = 10
MOST = 20  # named mistakes on the page

STYLE = """
body { max-width: 64rem; }
section > h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.none td { color: var(--bad); }
svg { width: 100%; height: auto; max-width: 40rem; }
svg rect { fill: var(--good); }
svg text { fill: var(--ink); font-size: 12px; }
.wide { overflow-x: auto; }
"""


def as_page(title: str, rows: Sequence[Row], facts: Sequence[str] = ()) -> str:
    """The instructor's page, self-contained.

    Args:
        title: Of the class.
        rows: The class.
        facts: What else there is to know, such as the class's seed.
    """
    graded = [row for row in rows if row.reports]
    shares = [100 * row.points / row.out_of for row in graded if row.out_of]
    summary = Counter(row.status for row in rows)
    lines = [f"{number} {status}" for status, number in summary.most_common()]
    if shares:
        lines.append(f"mean {mean(shares):.0f} %, median {median(shares):.0f} %")
    parts = [f"<h1>{escape(title)}</h1>\n<p>{escape(' · '.join(lines))}</p>\n"]
    if shares:
        parts.append(_section("Distribution", _drawn(histogram(shares))))
    if hard := hardest(rows):
        parts.append(_section("Hardest questions", _table(
            ("question", "mean share", "full", "no points", "tells apart", "most frequent reason"),
            [(q["title"], f"{q['share']:.0f} %", f"{q['full']:.0f} %", f"{q['none']:.0f} %", q["tells"], q["reason"])
             for q in hard],
        )))  # fmt: skip
    if known := mistakes(rows):
        parts.append(_section("Most frequent named mistakes", _table(
            ("question", "learners", "mistake"),
            [(m["question"], str(m["learners"]), m["mistake"]) for m in known[:MOST]],
        )))  # fmt: skip
    if notes := [(row.learner, note) for row in rows for note in row.notes]:
        parts.append(_section("To look at (no point was given or taken for it)", _table(("learner", "what"), notes)))
    everyone = [
        (row.learner, f"{row.points:g} / {row.out_of:g}", row.status, "; ".join(row.reasons) or "–")
        for row in sorted(rows, key=lambda row: (-row.points, row.learner))
    ]
    worst = [row.points == 0 for row in sorted(rows, key=lambda row: (-row.points, row.learner))]
    parts.append(
        _section("Learners", _table(("learner", "points", "status", "why points are missing"), everyone, worst))
    )
    parts.append(f'<p class="small">{escape(" · ".join(facts))}</p>\n')
    return document(title, "".join(parts), STYLE)


def histogram(shares: Sequence[float]) -> list[int]:
    """How many shares, in per cent, lie in each tenth; 100 is in the last.

    Example:
        >>> histogram([0, 9.9, 55, 100, 100])
        [2, 0, 0, 0, 0, 1, 0, 0, 0, 2]
    """
    counts = [0] * BINS
    for share in shares:
        counts[min(int(share * BINS / 100), BINS - 1)] += 1
    return counts


def hardest(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The questions by the mean share of points that they brought, the hardest first.

    ``tells`` is the mean share among the better half of the class (by the points of all other questions) minus that
    among the other half, in points of a hundred: near or below zero, a question measures something else, or is broken.
    """
    marks: dict[str, list[tuple[float, Mapping[str, Any]]]] = defaultdict(list)
    for row in rows:
        for question_id, question in row.questions.items():
            marks[question_id].append((row.points - question["points"], question))
    found = []
    for question_id, pairs in marks.items():
        shares = [question["points"] / question["out_of"] for _, question in pairs]
        by_rest = [share for _, share in sorted(zip((rest for rest, _ in pairs), shares, strict=True))]
        half = len(by_rest) // 2
        tells = f"{100 * (mean(by_rest[-half:]) - mean(by_rest[:half])):+.0f}" if half >= 2 else "–"
        reasons = Counter(question["message"] for _, question in pairs if question["points"] < question["out_of"])
        found.append(
            {
                "id": question_id,
                "title": f"{question_id} {pairs[0][1]['title']}",
                "share": 100 * mean(shares),
                "full": 100 * mean(share == 1 for share in shares),
                "none": 100 * mean(share == 0 for share in shares),
                "tells": tells,
                "reason": reasons.most_common(1)[0][0] if reasons else "–",
            }
        )
    return sorted(found, key=lambda question: question["share"])


def mistakes(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The named mistakes by how many learners made them, the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        for question in row.questions.values():
            if question["mistake"]:
                counts[f"{question['id']} {question['title']}", question["mistake"]] += 1
    return [
        {"question": question, "mistake": mistake, "learners": number}
        for (question, mistake), number in counts.most_common()
    ]


def _drawn(counts: Sequence[int]) -> str:
    """The histogram as SVG, with the same numbers in words for those who do not see it."""
    high, width = max(counts), 560 / BINS
    said = ", ".join(f"{10 * n} to {10 * n + 10} %: {count}" for n, count in enumerate(counts) if count)
    bars = []
    for n, count in enumerate(counts):
        x, tall = 20 + n * width, 150 * count / high
        bars.append(f'<rect x="{x + 3:.1f}" y="{170 - tall:.1f}" width="{width - 6:.1f}" height="{tall:.1f}"/>')
        if count:
            bars.append(f'<text x="{x + width / 2:.1f}" y="{165 - tall:.1f}" text-anchor="middle">{count}</text>')
    ticks = [f'<text x="{20 + n * width:.1f}" y="188" text-anchor="middle">{10 * n}</text>' for n in range(BINS + 1)]
    return (
        f'<svg viewBox="0 0 600 205" role="img" aria-label="Learners by their share of the points: {said}">'
        f"{''.join(bars)}{''.join(ticks)}"
        '<text x="300" y="203" text-anchor="middle">per cent of the points</text></svg>\n'
    )


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}</section>\n"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], marked: Sequence[bool] = ()) -> str:
    head = "".join(f'<th scope="col">{escape(word)}</th>' for word in header)
    body = []
    for number, row in enumerate(rows):
        kind = ' class="none"' if marked and marked[number] else ""
        body.append(f"<tr{kind}>" + "".join(f"<td>{escape(value)}</td>" for value in row) + "</tr>\n")
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{"".join(body)}</table></div>\n'
