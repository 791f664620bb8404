"""What all operations of the OpenAPI document have in common: who may call, and the errors of the one envelope."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

ENVELOPE = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "description": "A constant name, for programs."},
                "message": {"type": "string", "description": "A sentence, for people."},
                "fields": {
                    "type": "object",
                    "additionalProperties": {},
                    "description": "What is wrong with which value; with `invalid` and `invalid_payload` only.",
                },
            },
        }
    },
}

_ALWAYS = {
    "406": "Another format than JSON is wanted.",
    "429": "Too many calls. `Retry-After` says how many seconds to wait. Staff and services are never throttled.",
    "500": "A fault of this service.",
    "503": "Something that the answer needs is away. The same call later may do well.",
}
_WITH_AUTHENTICATION = {
    "401": 'Nobody is logged in, or the token is wrong. `WWW-Authenticate: JWT realm="api"`.',
    "403": "This caller may not, or a call with cookies lacks its CSRF token.",
}
_WITH_PARAMETERS = {"400": "A value is missing or not valid.", "404": "What is asked for is not there."}
_WITH_BODY = {
    "400": "The body is no JSON in UTF-8, or a value is missing or not valid.",
    "413": "The body is too large.",
    "415": "The body is no `application/json`.",
}
_SECONDS = {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds to wait."}


class SessionScheme(OpenApiAuthenticationExtension):
    """Replaces the library's own, which does not tell of CSRF."""

    target_class = "rest_framework.authentication.SessionAuthentication"
    name = "session"
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "A log-in to this service. Calls that change something need `X-CSRFToken`.",
        }


class JwtScheme(OpenApiAuthenticationExtension):
    """The LMS's JWTs, in the header or in the micro-frontends' cookies."""

    target_class = "edx_rest_framework_extensions.auth.jwt.authentication.JwtAuthentication"
    match_subclasses = True
    name = ["jwt", "jwtCookies"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`Authorization: JWT <token>`, a JWT that the LMS signed (RS512).",
            },
            {
                "type": "apiKey",
                "in": "cookie",
                "name": "edx-jwt-cookie-header-payload",
                "description": "The LMS's two cookies (`edx-jwt-cookie-signature` is the other), as browsers send "
                "them. Calls that change something need `X-CSRFToken` from `/csrf/api/v1/token`.",
            },
        ]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]


def add_errors(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A postprocessing step of drf-spectacular: the envelope, for each error that an operation may end with.

    What a view says of a status itself stays.
    """
    result.setdefault("components", {}).setdefault("schemas", {})["Error"] = ENVELOPE
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, description in _errors_of(operation).items():
                operation["responses"].setdefault(status, _response(status, description))
            for status, told in operation["responses"].items():
                # A view says why it answers so; the shape is always the same.
                if status >= "400":
                    operation["responses"][status] = {**_response(status, ""), **told}
            operation["responses"] = dict(sorted(operation["responses"].items()))
    return result


def _errors_of(operation: dict[str, Any]) -> dict[str, str]:
    found = dict(_ALWAYS)
    if any(operation.get("security", [{}])):
        found |= _WITH_AUTHENTICATION
    if operation.get("parameters"):
        found |= _WITH_PARAMETERS
    if "requestBody" in operation:
        found |= _WITH_BODY
    return found


def _response(status: str, description: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    if status == "429":
        found["headers"] = {"Retry-After": _SECONDS}
    return found
