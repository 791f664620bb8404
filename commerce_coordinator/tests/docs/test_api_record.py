"""The page on the record's endpoints names what there is: each path, filter and field of a body, and no other."""

import re
from typing import Any

from django.test import Client

from commerce_coordinator.console import dead_letters
from commerce_coordinator.console.api import asked, finding
from commerce_coordinator.core import trace

from .pages import DOCS, page

RECORD = page(DOCS / "api-record.rst")


def document() -> dict[str, Any]:
    found: dict[str, Any] = Client().get("/api-docs/schema/").json()
    return found


def operations() -> dict[str, Any]:
    """By method and path, written as the page writes them."""
    return {
        f"{method.upper()} {path}".replace("{key}", "<id>").replace("{reference}", "<reference>"): operation
        for path, found in document()["paths"].items()
        for method, operation in found.items()
        if operation["tags"][0] in ("record", "replay")
    }


def test_every_path_is_named_and_no_other() -> None:
    named = {literal for literal in RECORD.literals if re.match(r"(GET|POST) /", literal)}
    assert named == set(operations())


def test_every_filter_of_a_list_is_named_with_its_choices() -> None:
    rows = {path.strip("`"): cell for path, cell in RECORD.rows(columns=2) if path.startswith("``GET")}
    assert len(rows) == 4
    for path, cell in rows.items():
        told = {
            each["name"]: each["schema"].get("enum", [])
            for each in operations()[path]["parameters"]
            if each["name"] not in ("cursor", "page_size")
        }
        assert set(re.findall(r"``(\w+)``", cell)) == set(told)
        for name, choices in told.items():
            assert set(choices) <= set(re.findall(r"\w+", cell)), name


def test_every_field_of_a_body_is_named() -> None:
    schemas = document()["components"]["schemas"]
    for path, operation in operations().items():
        if path.startswith("POST"):
            body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            (cell,) = [cell for paths, cell in RECORD.rows(columns=2) if f"``{path}``" in paths]
            assert set(schemas[body]["properties"]) == set(re.findall(r"``(\w+)``", cell)), path


def test_addresses_of_the_examples_are_there() -> None:
    known = [re.compile(re.sub(r"<\w+>", "[^/]+", path.split()[1]) + r"(\?\S*)?") for path in operations()]
    asked = re.findall(r"http://localhost:8140(/api/v1/[^\s\"']*)", RECORD.code)
    assert len(asked) >= 4
    for address in asked:
        assert any(path.fullmatch(address) for path in known), address


def test_bounds_that_are_told_are_those_of_the_code() -> None:
    text = " ".join(RECORD.text.split())
    assert f"among the next {finding.MOST_WALKED:,} rows" in text
    assert f"the newest {dead_letters.MOST_WALKED:,} of each kind" in text
    assert f"the newest {finding.MOST_DISPATCHES:,} dispatches of it" in text
    assert f"all that match, up to {dead_letters.MOST_COUNTED:,};" in text
    assert f"up to {trace.MOST_DELIVERIES:,} deliveries;" in text
    assert f"looks at {asked.MOST_AT_ONCE} dead letters at most" in text
