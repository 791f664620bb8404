"""How Sphinx builds these pages: `make docs`."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

project = "Commerce Coordinator"
author = "The Commerce Coordinator developers"
language = "en"

_version = re.search(r'__version__ = "(.+)"', (ROOT / "commerce_coordinator" / "__init__.py").read_text())
release = version = _version[1] if _version else ""

exclude_patterns = ["_build", "example_plugin", "example_provider"]
nitpicky = True
highlight_language = "text"
smartquotes = False

html_theme = "furo"
html_title = f"{project} {release}"
html_copy_source = False
html_show_copyright = False
