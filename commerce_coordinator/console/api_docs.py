"""The REST endpoints, described: as OpenAPI for programs, as a page without any script for people."""

import functools
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import get_urlconf
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator


@require_safe
def schema(request: HttpRequest) -> JsonResponse:
    """The OpenAPI document in JSON."""
    return JsonResponse(_document(get_urlconf()), json_dumps_params={"indent": 2})


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The same document, to read."""
    document = _document(get_urlconf())
    return render(
        request,
        "console/api_docs.html",
        {
            "info": document["info"],
            "schemes": document["components"].get("securitySchemes", {}),
            "operations": _operations(document),
        },
    )


# Neither user nor language changes it, so each process makes it once.
@functools.lru_cache(2)
def _document(urlconf: str | None) -> dict[str, Any]:
    return SchemaGenerator(urlconf=urlconf).get_schema(request=None, public=True)


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "method": method.upper(),
            "path": path,
            "id": operation["operationId"],
            "text": operation.get("description") or operation.get("summary") or "",
            "parameters": operation.get("parameters", []),
            "body": _properties(document, operation.get("requestBody")),
            "answers": [
                (status, answer.get("description", ""), _properties(document, answer) if status < "300" else [])
                for status, answer in operation["responses"].items()
            ],
            "open": not any(operation.get("security", [{}])),
        }
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]


def _properties(document: dict[str, Any], body: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The fields of a JSON body, one level deep: name, type, whether it must be there."""
    schema = (body or {}).get("content", {}).get("application/json", {}).get("schema", {})
    schema = _resolved(document, schema)
    required = set(schema.get("required", []))
    return [
        {"name": name, "type": _type(document, found), "required": name in required}
        for name, found in schema.get("properties", {}).items()
    ]


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "")
    if not reference:
        return schema
    return document["components"]["schemas"].get(reference.rpartition("/")[2], {})


def _type(document: dict[str, Any], schema: dict[str, Any]) -> str:
    if schema.get("type") == "array":
        return f"list of {_type(document, schema.get('items', {}))}"
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    return str(schema.get("type", "any value"))
