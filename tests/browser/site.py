"""`python -m tests.browser.site`: a site full of jobs on loopback, until its standard input ends."""

from __future__ import annotations

import json
import sys
import threading
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer

import django
from django.core.management import call_command


class Server(ThreadingMixIn, WSGIServer):
    """A browser opens several connections at once."""

    daemon_threads = True


def main() -> None:
    """Make the database, serve it, and say in one line of JSON where."""
    django.setup()
    # What follows can be imported only now.
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.servers.basehttp import WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    from tests.browser import rows

    call_command("migrate", verbosity=0)
    pages = rows.make()
    server = Server(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}", "pages": pages}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
