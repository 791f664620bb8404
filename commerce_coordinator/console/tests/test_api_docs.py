"""The OpenAPI document tells the truth in general: who may call, which errors there are; and a page shows it."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from commerce_coordinator import __version__


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    response = client.get("/api-docs/schema/")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    return response.json()


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, found in document["paths"].items()
        for method, operation in found.items()
    ]


def test_the_document_is_valid_and_nothing_in_it_was_guessed() -> None:
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    assert "openapi: 3" in out.getvalue()


def test_the_document_is_of_this_version(document: dict[str, Any]) -> None:
    assert document["info"]["version"] == __version__


def test_each_operation_ends_with_the_one_envelope(document: dict[str, Any]) -> None:
    assert operations(document)
    for name, operation in operations(document):
        errors = {status: found for status, found in operation["responses"].items() if status >= "400"}
        assert {"406", "429", "500", "503"} <= set(errors), name
        for status, found in errors.items():
            # One endpoint says more of its fields; the envelope is the same.
            schema = found["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            assert schema in {"Error", "SendError"}, (name, status)
        assert "Retry-After" in errors["429"]["headers"], name


def test_what_is_not_open_says_who_may_call(document: dict[str, Any]) -> None:
    closed = [(name, operation) for name, operation in operations(document) if any(operation.get("security", [{}]))]
    for name, operation in closed:
        assert {"401", "403"} <= set(operation["responses"]), name
        assert {next(iter(each)) for each in operation["security"] if each} <= {"jwt", "jwtCookies", "session"}, name


def test_descriptions_are_there_for_people(document: dict[str, Any]) -> None:
    assert [name for name, operation in operations(document) if not operation.get("description")] == []


def test_the_page_lists_all_and_loads_nothing(client: Client, document: dict[str, Any]) -> None:
    response = client.get("/api-docs/")
    text = response.content.decode()
    assert response.status_code == 200
    for name, operation in operations(document):
        method, path = name.split(" ")
        assert f"{method.upper()} {path}" in text and f'id="{operation["operationId"]}"' in text
    assert "<script" not in text and not re.search(r"(src|href)=\"(https?:)?//", text)
    assert "<link" not in text


def test_the_first_page_leads_there(client: Client) -> None:
    link = client.get("/").json()["links"]["api_docs"]
    assert client.get(link).status_code == 200
