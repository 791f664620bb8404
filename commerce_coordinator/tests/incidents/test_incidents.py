"""Each incident is found and understood from the screens, and mended or replayed as its runbook says."""

from collections.abc import Iterator

import pytest

from commerce_coordinator.tests.browser import Browser

from .incidents import ALL, Incident
from .operator import Operator
from .site import Site

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


@pytest.fixture
def operator(site: Site, browser: Browser) -> Operator:
    return Operator(site, browser.page(width=1280))


@pytest.mark.parametrize("incident", [kind() for kind in ALL], ids=lambda incident: incident.name)
def test_incident_is_seen_understood_and_mended(incident: Incident, site: Site, operator: Operator) -> None:
    incident.seed(site)
    incident.see(operator)
    incident.mend(operator)
    incident.end(site)
    assert operator.dead_letters(subject=incident.order) == "No dead letter matches."
