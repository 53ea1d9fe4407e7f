"""Serve the built site on this machine: ``python -m book._ext.serve [PORT]``; Ctrl-C ends it."""

import functools
import http.server
import sys
from pathlib import Path

from book._ext.build import SITE


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of the site, without a line per request."""

    def log_message(self, *args):
        """Say nothing."""

    def send_error(self, code, message=None, explain=None):
        """A page that is not there gets the site's own answer, as on a server of static pages."""
        page = Path(self.directory) / "404.html"
        if code != 404 or not page.exists():
            super().send_error(code, message, explain)
            return
        text = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)


def serve(port: int = 8000) -> int:
    """Listen on the first free port from `port` on, and say where."""
    if not (SITE / "index.html").exists():
        print("There is no site yet. Type: make book (or python -m book._ext.build)", file=sys.stderr)
        return 1
    for candidate in range(port, port + 50):
        try:
            server = http.server.ThreadingHTTPServer(
                ("127.0.0.1", candidate), functools.partial(Handler, directory=str(SITE))
            )
        except OSError:
            continue
        print(f"The course is at http://127.0.0.1:{candidate}/  (Ctrl-C stops it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
        return 0
    print(f"No free port between {port} and {port + 49}.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(serve(int(sys.argv[1]) if len(sys.argv) > 1 else 8000))
