"""The LMS's call for tokens, over HTTP: a JWT of one account, whoever asks."""

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator

from commerce_coordinator.core.rest.testing import lms_jwt


@contextlib.contextmanager
def token_server(username: str) -> Iterator[str]:
    """The address of a server at which every OAuth2 client gets a staff JWT of this user."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = lms_jwt(username, staff=True)
            body = json.dumps({"access_token": token, "token_type": "JWT", "expires_in": 3600}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
