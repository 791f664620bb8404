"""The examples of the documentation, each run in a process of its own."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from .pages import page


def run(*command: str, folder: Path, cwd: Path, **env: str) -> str:
    """Python with these arguments, data in `folder`, and none of our own settings; returns what it printed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "CC_"))}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env={**inherited, "CC_DATA": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **env},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def installed(example: Path, site: Path) -> str:
    """The path on which the example is an installed package: its entry points are written into `site`."""
    project = tomllib.loads((example / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ((group, entries),) = project["entry-points"].items()
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8"
    )
    lines = [f"[{group}]", *(f"{name} = {target}" for name, target in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    return os.pathsep.join([str(example), str(site)])


def printed(of: Path, example: Path) -> set[str]:
    """The example's files that a page prints."""
    return set(re.findall(rf"literalinclude:: {example.name}/(\S+)", page(of).text))


def files(example: Path) -> set[str]:
    """Those that are to be printed: all but empty ones and one-line docstrings of packages."""
    found = (path for path in example.rglob("*.*") if not {"__pycache__", ".pytest_cache"} & set(path.parts))
    return {name for path in found if not (name := str(path.relative_to(example))).endswith("__init__.py")}
