"""`make docs` builds without a warning."""

import subprocess
import sys
from pathlib import Path

import pytest

from .pages import DOCS


@pytest.mark.slow
def test_documentation_builds_without_warnings(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="Sphinx comes with `make docs`")
    pytest.importorskip("furo", reason="furo comes with `make docs`")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
