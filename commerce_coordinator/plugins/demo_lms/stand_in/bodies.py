"""Bodies read and answers written, in the shapes of the LMS and of the stand-in's own endpoints."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError


class Refused(Exception):
    """The request cannot be taken as it is. `field` names what is wrong, where it is one field."""

    def __init__(self, message: str, *, status: int = 400, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.field = field


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """What will be sent back. `body` goes out as JSON; None as no body at all; text, where `html` says so, as it is."""

    status: int
    body: Any = None
    html: bool = False
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def response(self) -> HttpResponse:
        if self.html:
            content, kind = self.body, "text/html; charset=utf-8"
        else:
            content = b"" if self.body is None else json.dumps(self.body)
            kind = "application/json"
        return HttpResponse(content, status=self.status, content_type=kind, headers=dict(self.headers))


def lms_error(refused: Refused) -> Answer:
    """An error as the LMS's enrolment API words it."""
    return Answer(status=refused.status, body={"message": refused.message})


def own_error(refused: Refused) -> Answer:
    """An error of the stand-in's own endpoints."""
    code = {405: "method_not_allowed", 413: "too_large"}.get(refused.status, "bad_request")
    body = {"code": code, "message": refused.message}
    if refused.field:
        body["field"] = refused.field
    return Answer(status=refused.status, body={"error": body})


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The body as a JSON object whose texts any database can store. Raises Refused."""
    try:
        parsed = json.loads(request.body.decode("utf-8"), parse_constant=_no_constant)
        # A lone surrogate is valid JSON, but no text: it has no bytes in UTF-8.
        json.dumps(parsed, ensure_ascii=False).encode("utf-8")
    except RequestDataTooBig:
        raise Refused("The body is too large.", status=413) from None
    except UnreadablePostError:
        raise Refused("The body broke off.") from None
    except (ValueError, RecursionError):
        raise Refused("The body is not valid JSON.") from None
    if not isinstance(parsed, dict):
        raise Refused("The body must be a JSON object.")
    return parsed


def _no_constant(name: str) -> None:
    # Python reads NaN and Infinity; JSON (RFC 8259) knows neither.
    raise ValueError(name)
