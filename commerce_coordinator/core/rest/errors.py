"""One envelope for every error of the REST endpoints: {"error": {"code", "message", "fields"?}}."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.views import defaults
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler


class Unavailable(exceptions.APIException):
    """Something that the answer needs is away; the same call later may do well."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "This cannot be answered at the moment. Please try again later."
    default_code = "unavailable"


class TooLarge(exceptions.APIException):
    """The body is larger than DATA_UPLOAD_MAX_MEMORY_SIZE."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."
    default_code = "too_large"


#: What Django and the database raise -> what the caller is told. The first that fits.
_TOLD: tuple[tuple[type[Exception], type[exceptions.APIException]], ...] = (
    (Http404, exceptions.NotFound),
    (PermissionDenied, exceptions.PermissionDenied),
    (RequestDataTooBig, TooLarge),
    (UnreadablePostError, exceptions.ParseError),
    # A database that is away. Other errors of it are faults of ours: 500.
    (OperationalError, Unavailable),
    (InterfaceError, Unavailable),
)


def handle(error: Exception, context: Any) -> Response | None:
    """DRF's exception handler. What it does not know becomes Django's 500; a database that is away is 503."""
    told = next((told() for known, told in _TOLD if isinstance(error, known)), error)
    response = exception_handler(told, context)
    if response is not None and isinstance(told, exceptions.APIException):
        response.data = envelope(**_body(told))
    return response


def envelope(code: str, message: str, fields: Any = None) -> dict[str, Any]:
    """The body of an error. `fields` names what is wrong with each value, where values are wrong."""
    return {"error": {"code": code, "message": message, **({} if fields is None else {"fields": fields})}}


def _body(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        details = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        names = ", ".join(str(name) for name in details)
        return {"code": "invalid", "message": f"Not valid: {names}.", "fields": details}
    code = error.get_codes()
    return {"code": code if isinstance(code, str) else error.default_code, "message": str(error.detail)}


# --- Errors outside of DRF's views. Browsers get Django's pages, programs the envelope. ---


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _json(400, "parse_error") if _is_program(request) else defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _json(403, "permission_denied") if _is_program(request) else defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _json(404, "not_found") if _is_program(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    return _json(500, "server_error") if _is_program(request) else defaults.server_error(request)


def _is_program(request: HttpRequest) -> bool:
    # A browser names HTML; what takes anything (`*/*`) is a program.
    return "text/html" not in request.headers.get("Accept", "")


def _json(code: int, name: str) -> JsonResponse:
    return JsonResponse(envelope(name, f"{HTTPStatus(code).phrase}."), status=code)
