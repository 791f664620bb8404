"""One envelope for every error, whoever raised it; bad bodies are 4xx, never 500."""

import json
from typing import Any

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404
from django.test import Client
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from commerce_coordinator.core.rest.errors import Unavailable
from commerce_coordinator.core.rest.testing import as_user

from .conftest import Wish


class Echo(APIView):
    permission_classes = [AllowAny]

    def get(self, request: Any) -> Response:
        return Response({"ok": True})

    def post(self, request: Any) -> Response:
        wish = Wish(data=request.data)
        wish.is_valid(raise_exception=True)
        return Response(wish.validated_data)


class EchoAnything(Echo):
    def post(self, request: Any) -> Response:
        return Response({"data": request.data})


def raising(error: Exception) -> type[APIView]:
    class Raising(APIView):
        permission_classes = [AllowAny]

        def get(self, request: Any) -> Response:
            raise error

    return Raising


def error_of(response: Any) -> dict[str, Any]:
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert list(body) == ["error"]
    assert {"code", "message"} <= set(body["error"]) <= {"code", "message", "fields"}
    return body["error"]


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (Http404("secret of the view"), 404, "not_found"),
        (exceptions.NotFound(), 404, "not_found"),
        (exceptions.PermissionDenied(), 403, "permission_denied"),
        (Unavailable(), 503, "unavailable"),
        (OperationalError("could not connect to db as hunter2"), 503, "unavailable"),
        (InterfaceError("closed"), 503, "unavailable"),
    ],
)
def test_each_error_has_its_status_and_the_envelope(
    mount: Any, client: Client, raised: Exception, status: int, code: str
) -> None:
    response = client.get(mount(raising(raised)))
    assert response.status_code == status
    assert error_of(response)["code"] == code
    assert b"hunter2" not in response.content and b"secret" not in response.content


@pytest.mark.parametrize("raised", [ZeroDivisionError("hunter2"), IntegrityError("hunter2")])
def test_a_fault_of_ours_is_a_500_in_the_envelope_that_tells_nothing(mount: Any, raised: Exception) -> None:
    client = Client(raise_request_exception=False)
    response = client.get(mount(raising(raised)))
    assert response.status_code == 500
    assert error_of(response) == {"code": "server_error", "message": "Internal Server Error."}


def test_wrong_values_are_named_field_by_field(mount: Any, client: Client) -> None:
    response = client.post(mount(Echo), {"sku": "x" * 11}, content_type="application/json")
    assert response.status_code == 400
    error = error_of(response)
    assert (error["code"], set(error["fields"])) == ("invalid", {"sku", "count"})


def test_a_body_that_is_no_object_is_named_too(mount: Any, client: Client) -> None:
    response = client.post(mount(Echo), "[]", content_type="application/json")
    assert response.status_code == 400
    assert list(error_of(response)["fields"]) == ["non_field_errors"]


def test_nobody_is_told_how_to_authenticate(client: Client, mount: Any) -> None:
    class Default(APIView):
        def get(self, request: Any) -> Response:
            return Response()

    response = client.get(mount(Default))
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'JWT realm="api"'
    assert error_of(response)["code"] == "not_authenticated"


def test_another_method_is_405_and_tells_which_are_allowed(mount: Any, client: Client) -> None:
    response = client.delete(mount(Echo))
    assert (response.status_code, error_of(response)["code"]) == (405, "method_not_allowed")
    assert "POST" in response.headers["Allow"]


def test_another_answer_than_json_is_406(mount: Any, client: Client) -> None:
    response = client.get(mount(Echo), headers={"Accept": "application/xml"})
    assert (response.status_code, error_of(response)["code"]) == (406, "not_acceptable")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"])
def test_another_body_than_json_is_415(mount: Any, client: Client, kind: str) -> None:
    response = client.post(mount(Echo), b"sku=1", content_type=kind)
    assert (response.status_code, error_of(response)["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'sku': 1}",
        b'{"sku": NaN, "count": 1}',
        b'{"sku": "a", "count": 1e999}',
        b'{"sku": "a", "count": ' + b"9" * 5000 + b"}",
        b'{"sku": "\xff"}',
        '{"sku": "a"}'.encode("utf-16"),
        b"[" * 200_000,
        b'{"sku": "\x00", "count": 1}',
        rb'{"sku": "\u0000", "count": 1}',
        rb'{"\u0000": "a", "count": 1}',
        rb'{"sku": "\ud800", "count": 1}',
        rb'{"\uDFFF": "a"}',
        rb'[[["a\ud83d"]]]',
    ],
)
@pytest.mark.parametrize("view", [Echo, EchoAnything])
def test_a_body_that_is_no_json_text_is_400(mount: Any, client: Client, body: bytes, view: type[APIView]) -> None:
    response = client.generic("POST", mount(view), body, content_type="application/json; charset=utf-16")
    assert response.status_code == 400, response.content
    error_of(response)


@pytest.mark.parametrize("text", ["\U0001f600", "\\u0000", "\\ud800", "ÄÖ", "\n"])
def test_what_only_looks_dangerous_passes(mount: Any, client: Client, text: str) -> None:
    response = client.post(mount(EchoAnything), json.dumps({"a": [text]}), content_type="application/json")
    assert (response.status_code, response.json()) == (200, {"data": {"a": [text]}})


def test_a_large_body_is_413(mount: Any, client: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    path = mount(EchoAnything)
    body = json.dumps("x" * 998)
    assert client.post(path, body, content_type="application/json").status_code == 200
    response = client.post(path, body + " ", content_type="application/json")
    assert (response.status_code, error_of(response)["code"]) == (413, "too_large")


@pytest.mark.parametrize("path", ["/nothing/here/", "/t/more/", "/\x00/", "/%ff%fe/"])
def test_an_unknown_path_is_404_in_the_envelope_for_programs(client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, error_of(response)["code"]) == (404, "not_found")


def test_a_browser_gets_a_page(client: Client) -> None:
    response = client.get("/nothing/here/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.django_db
def test_a_database_that_is_away_is_503_while_authenticating(
    mount: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db.models.query import QuerySet

    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("away")

    path, headers = mount(Echo), as_user("ada")
    monkeypatch.setattr(QuerySet, "_fetch_all", away)
    response = client.get(path, headers=headers)
    assert (response.status_code, error_of(response)["code"]) == (503, "unavailable")
