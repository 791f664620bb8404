"""How the package is built. What it needs to run stands in requirements/base.in, and only there."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent


def requirements(path: str) -> list[str]:
    """The lines of a .in file that name a package."""
    lines = (line.split("#")[0].strip() for line in (HERE / path).read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and re.match(r"[A-Za-z0-9]", line)]


def readme() -> str:
    path = HERE / "README.rst"
    return path.read_text(encoding="utf-8") if path.exists() else ""


setup(
    name="commerce-coordinator",
    version="0.1.0",
    description="A durable broker between the systems that sell courses and the systems that deliver them.",
    long_description=readme(),
    long_description_content_type="text/x-rst",
    license="AGPL-3.0-only",
    license_files=["LICENSE.txt"],
    python_requires=">=3.11",
    packages=find_packages(include=["commerce_coordinator", "commerce_coordinator.*"]),
    package_data={"": ["py.typed", "templates/**/*", "static/**/*", "locale/**/*"]},
    install_requires=requirements("requirements/base.in"),
    extras_require={
        "mysql": ["mysqlclient>=2.3,<2.4"],
        "opentelemetry": requirements("requirements/opentelemetry.in"),
    },
    zip_safe=False,
    classifiers=[
        "Framework :: Django :: 5.2",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
    ],
)
