"""Each incident is found and understood from the screens, and mended or replayed as its runbook says.

The pictures go to a temporary folder. CC_SCREENSHOTS names another: `make screenshots` makes those of docs/runbooks.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from commerce_coordinator.tests.browser import Browser
from commerce_coordinator.tests.service import until

from .incidents import ALL, Incident
from .operator import Operator
from .site import Site
from .told import RUNBOOKS

pytestmark = [pytest.mark.slow, pytest.mark.needs_chromium, pytest.mark.needs_redis]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    running = Site(tmp_path_factory.mktemp("site"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(autouse=True)
def is_well_again(site: Site) -> Iterator[None]:
    """What one incident left unmended, because its test failed, is not the next one's."""
    yield
    site.be_well()
    site.manage("replay", "--filter", "since=1d", "--set-aside", check=False)


@pytest.fixture
def operator(site: Site, browser: Browser, tmp_path: Path) -> Operator:
    pictures = Path(os.environ.get("CC_SCREENSHOTS") or tmp_path)
    # As wide as the documents show it with its letters still to be read.
    return Operator(site, browser.page(width=1100), pictures)


@pytest.mark.parametrize("incident", [kind() for kind in ALL], ids=lambda incident: incident.name)
def test_incident_is_seen_understood_and_mended(incident: Incident, site: Site, operator: Operator) -> None:
    incident.seed(site)
    incident.see(operator)
    incident.mend(operator)
    incident.end(site)
    assert operator.dead_letters(subject=incident.order) == "No dead letter matches."
    over = RUNBOOKS[incident.name].over
    until(lambda: over in operator.first_page(), what=f"{over!r} on the first page")
