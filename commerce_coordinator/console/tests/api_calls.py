"""Calls of the API by accounts with these rights, and answers held against the OpenAPI document."""

import functools
import json
from io import StringIO
from typing import Any

import jsonschema
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client

from commerce_coordinator.console import api_docs
from commerce_coordinator.core.rest.testing import as_user


class Caller:
    """A service with a staff JWT, and with these rights of `manage.py grant`."""

    def __init__(self, *rights: str, name: str = "worker", staff: bool = True) -> None:
        self.name, self.staff = name, staff
        number = sum(map(ord, name))
        # As the LMS tells of it: no call has anything to bring up to date.
        known = {"lms_user_id": number, "is_staff": staff, "email": f"{name}@example.com"}
        get_user_model().objects.get_or_create(username=name, defaults=known)
        for right in rights:
            call_command("grant", name, right, stdout=StringIO(), stderr=StringIO())
        self.headers = as_user(name, staff=staff, lms_user_id=number)

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        address = path if path.startswith("http") else f"/api/v1/{path}"
        return _checked(Client().get(address, query or None, headers=self.headers), status)

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        sent = Client().post(
            f"/api/v1/{path}", json.dumps(body or {}), content_type="application/json", headers=self.headers
        )
        return _checked(sent, status)


def _checked(answer: Any, status: int) -> Any:
    assert answer.status_code == status, answer.content
    found = answer.json()
    route = "/" + answer.resolver_match.route.replace("<str:", "{").replace(">", "}")
    operation = _document()["paths"][route][answer.wsgi_request.method.lower()]
    schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
    jsonschema.validate(found, {**schema, "components": _document()["components"]})
    return found


@functools.cache
def _document() -> Any:
    return _as_json_schema(api_docs._document(None))


def _as_json_schema(found: Any) -> Any:
    """OpenAPI 3.0 has a word of its own for what may be null."""
    if isinstance(found, list):
        return [_as_json_schema(each) for each in found]
    if not isinstance(found, dict):
        return found
    found = {key: _as_json_schema(value) for key, value in found.items()}
    if found.pop("nullable", False) is True:
        return {"anyOf": [found, {"type": "null"}]}
    if found.get("type") == "object" and "properties" in found:
        found.setdefault("additionalProperties", False)  # what is not told of is not shown
    return found
