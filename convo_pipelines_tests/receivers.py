"""Servers that keep the alerts and mails that they get."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from aiosmtpd.handlers import Message

from convo_pipelines_tests.processes import free_port


class Receiver:
    """An HTTP server that keeps the alerts it gets, or refuses them."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.heartbeats = 0
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.status == 200:
                    receiver.messages.append(json.loads(body))
                self._answer()

            def do_GET(self) -> None:
                receiver.heartbeats += 1
                self._answer()

            def _answer(self) -> None:
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"


class Mailbox(Message):
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Any] = []
        self.port = int(free_port())

    def handle_message(self, message: Any) -> None:
        self.mails.append(message)

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=pipeline@example.com&to=team@example.com&mode=insecure"
