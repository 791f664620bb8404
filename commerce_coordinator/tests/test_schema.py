"""The API answers as its OpenAPI document says, whatever is sent: no 5xx, no answer outside the document."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from .contract.people import LEARNER, STAFF, headers
from .service import RunningService

pytestmark = pytest.mark.slow

#: Staff with the right to replay and to see private values.
OPERATOR = "operator"
CLAIMS: dict[str | None, dict[str, Any]] = {OPERATOR: {"user_id": 8, "administrator": True}}

#: A run that found no endpoint, or sent almost nothing, would be green too.
FEWEST_CASES = 200

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    # What is tried is the answers; a throttle would soon be the only one.
    running = RunningService(tmp_path_factory.mktemp("schema"), env={"CC_THROTTLE_USER": "1000000/min"})
    running.start()
    try:
        _prepare(running)
        yield running
    finally:
        running.stop()


def _prepare(running: RunningService) -> None:
    """Rows of all kinds, dead letters among them; and an operator's account, which his first call makes."""
    for page in ("test/", "demo_purchase_complete/"):
        requests.get(f"{running.lms}/{page}", timeout=20).raise_for_status()
    running.post({"id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "data": {"object": {}}})
    known = headers(running, OPERATOR, **CLAIMS[OPERATOR])
    assert requests.get(f"{running.url}/api/v1/events/", headers=known, timeout=20).status_code == 403
    for right in ("replay", "private"):
        running.manage("grant", OPERATOR, right)
    for kind in ("events", "dispatches", "deliveries", "dead-letters"):
        found = requests.get(f"{running.url}/api/v1/{kind}/", headers=known, timeout=20).json()
        assert found["results"], kind


@pytest.mark.timeout(400)
@pytest.mark.parametrize("who", [None, LEARNER, STAFF, OPERATOR], ids=str)
def test_no_answer_outside_the_document(service: RunningService, who: str | None, tmp_path: Path) -> None:
    options = [f"--header={name}: {value}" for name, value in headers(service, who, **CLAIMS.get(who, {})).items()]
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "schemathesis"),
            "run",
            f"{service.url}/api-docs/schema/",
            f"--checks={CHECKS}",
            "--max-examples=60",
            "--seed=1",
            "--workers=1",
            *options,
        ],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=380,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    cases = re.search(r"(\d+) generated", done.stdout)
    assert cases is not None, done.stdout[-2000:]
    assert int(cases[1]) >= FEWEST_CASES
