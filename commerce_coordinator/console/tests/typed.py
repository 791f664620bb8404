"""A command as somebody types it, in this process."""

import json
from io import StringIO
from typing import Any

from django.core.management import CommandError, call_command

#: Values of the tests' payloads and far sides that no command may show.
PRIVATE = ("ann@example.com", "ann-the-learner", "secret-of-the-venue")


class Typed:
    """What came of a command: standard output, standard error, and the message of a failure."""

    def __init__(self, *arguments: str) -> None:
        out, err = StringIO(), StringIO()
        self.failure = ""
        try:
            call_command(*arguments, stdout=out, stderr=err)
        except CommandError as error:
            self.failure = str(error)
        self.out, self.err = out.getvalue(), err.getvalue()
        for value in PRIVATE:
            assert value not in self.out + self.err + self.failure

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()
