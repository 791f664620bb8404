"""Calling other systems: time-outs on each call, the ids of the trace, errors by class, every call in the attempt."""

import email.utils
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from django.utils import timezone

from commerce_coordinator.core import open_calls
from commerce_coordinator.core.crash_points import ARMED, reached
from commerce_coordinator.core.deliveries.running import running_attempt
from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.telemetry import attributes as names
from commerce_coordinator.core.telemetry.context import Span, span
from commerce_coordinator.core.telemetry.recording import Kind

logger = logging.getLogger(__name__)

LONGEST_MESSAGE = 1000

#: Answers that may be others next time: time-out, conflict, too early, too many. And every 5xx.
PASSING = frozenset({408, 409, 425, 429})

#: Sends a call; what it is given goes into the headers.
Send = Callable[[Mapping[str, str]], requests.Response]

_PORTS = {"http": 80, "https": 443}


class ApiClient:
    """Calls one far side over a requests session. Subclasses name its endpoints.

    connect_timeout, read_timeout: seconds, for each call. `passing`: further statuses that may heal.
    """

    passing: frozenset[int] = PASSING

    def __init__(
        self, session: requests.Session, *, url_root: str, connect_timeout: float, read_timeout: float
    ) -> None:
        self.session = session
        self.url_root = url_root.rstrip("/")
        self.timeout = (connect_timeout, read_timeout)
        if ARMED:
            open_calls.watch(session)

    def call(
        self,
        method: str,
        path: str,
        *,
        parts: Mapping[str, str] | None = None,
        private_parts: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> requests.Response:
        """One call; a 2xx answer is returned. Raises Retry for what may pass and GiveUp for what will not heal.

        path: relative to the root, with {names} that `parts` and `private_parts` fill, quoted. What is kept of the call
        shows the former and leaves the latter as names. headers: further ones. options: of `requests.Session.request`.
        """
        sent = {"Accept": "application/json"}
        if idempotency_key:
            sent["Idempotency-Key"] = idempotency_key
        hidden = {name: f"{{{name}}}" for name in private_parts or {}}
        shown = path.format(**{**(parts or {}), **hidden})
        filled = {name: quote(value, safe="") for name, value in {**(parts or {}), **(private_parts or {})}.items()}
        url = f"{self.url_root}/{path.format(**filled)}"
        send = self._sender(method, url, {**sent, **(headers or {})}, options)
        response = self._recorded(method, shown, send, template=path)
        if response.status_code == requests.codes.unauthorized and self.renew_credentials():
            response = self._recorded(method, shown, send, template=path, resent=1)
        return self._checked(response)

    def renew_credentials(self) -> bool:
        """After a 401: forget what the far side no longer takes. True when a second try makes sense."""
        return False

    def _sender(self, method: str, url: str, headers: dict[str, str], options: dict[str, Any]) -> Send:
        def send(traced: Mapping[str, str]) -> requests.Response:
            # A POST that is redirected would go on as a GET, and the page behind be taken for an answer.
            return self.session.request(
                method, url, headers={**traced, **headers}, timeout=self.timeout, allow_redirects=False, **options
            )

        return send

    def _recorded(
        self, method: str, path: str, send: Send, *, template: str | None = None, resent: int = 0
    ) -> requests.Response:
        """Send as a span of its own, and note in the running attempt what came of it.

        Query strings and bodies are not kept. path: as it may be shown. template: with names for all that varies.
        """
        root = urlsplit(self.url_root)
        shown = f"{root.path}/{path}"
        target = root.hostname if template is None else f"{root.path}/{template}"
        with span(f"{names.method(method)} {target}", Kind.CLIENT) as step:
            step.note(
                lambda: {
                    names.HTTP_METHOD: names.method(method),
                    names.HTTP_RESEND_COUNT: resent or None,
                    names.SERVER_ADDRESS: root.hostname,
                    names.SERVER_PORT: root.port or _PORTS.get(root.scheme),
                    names.URL_FULL: f"{root.scheme}://{root.netloc.rpartition('@')[2]}{shown}",
                    names.URL_PATH: shown,
                    names.URL_TEMPLATE: None if template is None else target,
                }
            )
            response = self._noted(step, {"method": method, "path": shown}, send)
            step.note({names.HTTP_STATUS: response.status_code})
            if response.status_code >= requests.codes.bad_request:
                step.fail(str(response.status_code))
            return response

    def _noted(self, step: Span, call: Mapping[str, str], send: Send) -> requests.Response:
        attempt, started, method = running_attempt(), time.perf_counter(), call["method"]
        note: dict[str, Any] = {**call, "at": timezone.now(), "span_id": step.span_id}
        reached("client.before_call", method)
        try:
            response = send({"X-Request-ID": step.trace_id, "traceparent": step.traceparent})
            note["status"] = response.status_code
        except requests.RequestException as error:
            note["error"] = type(error).__name__
            step.fail(note["error"])
            if error.response is not None:
                # The call for a token was answered without one: a matter of settings or of the far side, not of ours.
                note["status"] = error.response.status_code
                text = f"No token from the far side: it answered {note['status']}: {message_of(error.response)}"
                raise Retry(text, after=retry_after(error.response)) from error
            raise Retry(f"No answer from the far side: {type(error).__name__}.") from error
        finally:
            note["ms"] = round((time.perf_counter() - started) * 1000, 1)
            if attempt is not None:
                attempt.calls.append(note)
        reached("client.after_call", method)
        return response

    def _checked(self, response: requests.Response) -> requests.Response:
        if requests.codes.ok <= response.status_code < requests.codes.multiple_choices:
            return response
        if self.may_pass(response):
            raise Retry(self.words_for(response), after=retry_after(response))
        raise GiveUp(self.words_for(response))

    def may_pass(self, response: requests.Response) -> bool:
        """Whether a refusal may be another answer next time."""
        status = response.status_code
        # A redirection is a page for times of maintenance, or a wrong URL in our settings: both are mended.
        return status >= 500 or response.is_redirect or status in self.passing or status == requests.codes.unauthorized

    def words_for(self, response: requests.Response) -> str:
        """What an operator reads of a refusal."""
        return f"The far side answered {response.status_code}: {message_of(response)}"


def message_of(response: requests.Response) -> str:
    """What the far side said of an error, in one line; of an HTML page only that it was one."""
    if "html" in response.headers.get("Content-Type", ""):
        return "an HTML page"
    try:
        body = response.json()
    except ValueError:
        return " ".join(response.text.split())[:LONGEST_MESSAGE] or "no text"
    if isinstance(body, dict):
        if isinstance(body.get("error"), dict):  # a coordinator's envelope
            return f"{body['error'].get('code')}: {body['error'].get('message')}"[:LONGEST_MESSAGE]
        for key in ("message", "detail", "developer_message", "error_description", "error"):
            if isinstance(body.get(key), str):
                return str(body[key])[:LONGEST_MESSAGE]
    return str(body)[:LONGEST_MESSAGE]


def retry_after(response: requests.Response) -> float | None:
    """Seconds of the header Retry-After (RFC 9110: a number or a date), or None."""
    value = response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        at = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if at.tzinfo is None:
        return None
    return max(0.0, (at - timezone.now()).total_seconds())
