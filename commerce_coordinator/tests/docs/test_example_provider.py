"""The provider of docs/third-provider.rst works as it is printed there: in a process of its own, and as a package."""

import re
from pathlib import Path

from .examples import files, installed, printed, run
from .pages import DOCS, ROOT, page

EXAMPLE = DOCS / "example_provider"
PAGE = DOCS / "third-provider.rst"


def test_example_provider_keeps_the_contract_and_sells(tmp_path: Path) -> None:
    output = run("-m", "pytest", "-q", "-p", "no:cacheprovider", folder=tmp_path, cwd=EXAMPLE)
    passed = re.search(r"^(\d+) passed", output.splitlines()[-1])
    assert passed, output
    # As the page says, so that a promise that is no longer run is seen.
    assert f"{passed[1]} passed" in page(PAGE).code


def test_installed_provider_is_found_and_routed_as_printed(tmp_path: Path) -> None:
    path = installed(EXAMPLE, tmp_path / "site")
    # With the local settings, which know nothing of it: its own default routes are appended to the map.
    for settings in ("commerce_coordinator.settings.local", "tillpay_settings"):
        command = ("manage.py", "routes", f"--settings={settings}")
        output = run(*command, folder=tmp_path / "data", cwd=ROOT, PYTHONPATH=path)
        for part in (EXAMPLE / "routes.txt").read_text(encoding="utf-8").split("\n\n"):
            assert part.strip() in output
        assert re.search(r"^lms\.refund_requested\n(?:├─ .*\n)*[├└]─ tillpay\.refund_payment  \[task\]$", output, re.M)
        assert "tillpay.Receipt  [step]" in output


def test_every_file_of_the_example_is_printed() -> None:
    assert files(EXAMPLE) == printed(PAGE, EXAMPLE)
