"""The built site on a plain local server, for tests and for pictures."""

import functools
import http.server
import threading
from contextlib import contextmanager
from pathlib import Path

OVERFLOW = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll('article *')]
        .filter(e => e.getBoundingClientRect().right > width + 1)
        .slice(0, 3).map(e => e.tagName + '.' + e.className);
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    # Python's own table lacks them; every web server knows them.
    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_):
        pass


@contextmanager
def serving(folder: Path):
    """The address of a folder while it is served."""
    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def watched(page, address: str):
    """The page, which notes in `trouble` what it says on the console, requests to other hosts and
    failed ones. The place of the browser is left as it is."""
    page.trouble = []

    def note(message):
        if "[PST]" not in message.text or message.type != "log":  # the theme says what it does
            page.trouble.append(f"{message.type}: {message.text}")

    def failed(request):
        # The browser gives up on what a page still loads when the test leaves the page.
        if request.failure != "net::ERR_ABORTED":
            page.trouble.append(f"failed: {request.url} ({request.failure})")

    def watch(route):
        url = route.request.url
        if not url.startswith((address, "data:", "blob:")):
            page.trouble.append(f"foreign: {url}")
            return route.abort()
        return route.continue_()

    page.on("console", note)
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    page.on("requestfailed", failed)
    page.route("**/*", watch)
    return page
