"""The names of attributes: those of OpenTelemetry's semantic conventions (1.40), and ours.

Written out, as their package is there only where OpenTelemetry is switched on; a test compares them with it.
"""

from collections.abc import Mapping
from typing import Any

ERROR_TYPE = "error.type"
HTTP_METHOD = "http.request.method"
HTTP_RESEND_COUNT = "http.request.resend_count"
HTTP_ROUTE = "http.route"
HTTP_STATUS = "http.response.status_code"
MESSAGE_COUNT = "messaging.batch.message_count"
MESSAGE_DESTINATION = "messaging.destination.name"
MESSAGE_ID = "messaging.message.id"
MESSAGE_OPERATION = "messaging.operation.name"
MESSAGE_OPERATION_TYPE = "messaging.operation.type"
MESSAGE_SYSTEM = "messaging.system"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
URL_FULL = "url.full"
URL_PATH = "url.path"
URL_SCHEME = "url.scheme"
URL_TEMPLATE = "url.template"

OURS = "commerce_coordinator."
ATTEMPT_ID = f"{OURS}attempt.id"
ATTEMPT_NUMBER = f"{OURS}attempt.number"
DELIVERY_GENERATION = f"{OURS}delivery.generation"
DELIVERY_ID = f"{OURS}delivery.id"
DELIVERY_STATE = f"{OURS}delivery.state"
DISPATCH_ID = f"{OURS}dispatch.id"
DISPATCH_ORIGIN = f"{OURS}dispatch.origin"
EVENT_ID = f"{OURS}event.id"
EVENT_PROVIDER = f"{OURS}event.provider"
EVENT_STATE = f"{OURS}event.state"
EVENT_TYPE = f"{OURS}event.type"
FILTER = f"{OURS}filter"
RECEIVER = f"{OURS}receiver"
STEP = f"{OURS}step"
SIGNAL = f"{OURS}signal"
TRACE_ID = f"{OURS}trace.id"

#: Ids as log lines call them -> as attributes.
_OF_IDS = {"delivery": DELIVERY_ID, "event": EVENT_ID, "provider": EVENT_PROVIDER, "filter": FILTER}

#: What OpenTelemetry takes for the name of a method; all others are one.
_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})
OTHER_METHOD = "_OTHER"


def of_ids(ids: Mapping[str, Any]) -> dict[str, str]:
    """A span's ids as attributes."""
    return {_OF_IDS.get(key, f"{OURS}{key}"): str(value) for key, value in ids.items()}


def method(name: str | None) -> str:
    """A method as it may be told: what a caller makes up is not."""
    return name if name in _METHODS else OTHER_METHOD
