"""A mail server in a thread, over a real socket: it keeps what it accepts, and says no where a test wants it to."""

import contextlib
import dataclasses
import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclasses.dataclass
class Plan:
    """One connection: what is answered to a command (MAIL, RCPT, DATA, or "." for the mail itself).

    drops_after_data: the mail is taken, and the connection is gone before the answer.
    """

    answers: dict[str, str] = dataclasses.field(default_factory=dict)
    drops_after_data: bool = False


class MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        #: Of the connections to come, in order; when there are none left, all is accepted.
        self.plans: list[Plan] = []
        #: (recipients, mail) of all that was taken.
        self.taken: list[tuple[list[str], EmailMessage]] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Connection(socketserver.StreamRequestHandler):
    server: MailServer
    timeout = 10

    def handle(self) -> None:
        plan = self.server.plans.pop(0) if self.server.plans else Plan()
        recipients: list[str] = []
        self._say("220 mail.example.com ESMTP")
        for line in iter(self.rfile.readline, b""):
            command = line.decode("ascii", "replace").strip()
            verb = command.partition(" ")[0].upper()
            if verb == "QUIT":
                self._say("221 Bye")
                return
            answer = plan.answers.get(verb, "354 Go on" if verb == "DATA" else "250 OK")
            if verb == "RCPT" and answer.startswith("250"):
                recipients.append(command.partition(":")[2].strip(" <>"))
            self._say(answer)
            if verb == "DATA" and answer.startswith("354"):
                mail = self._mail()
                answer = plan.answers.get(".", "250 Kept")
                if answer.startswith("250"):
                    self.server.taken.append((recipients, mail))
                if plan.drops_after_data:
                    return
                self._say(answer)

    def _mail(self) -> EmailMessage:
        lines = []
        for line in iter(self.rfile.readline, b""):
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        return message_from_bytes(b"".join(lines), EmailMessage, policy=policy.default)

    def _say(self, answer: str) -> None:
        self.wfile.write(f"{answer}\r\n".encode("ascii"))


@contextlib.contextmanager
def running() -> Iterator[MailServer]:
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
