#!/usr/bin/env python
"""Django's command line. The default settings are the local ones."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commerce_coordinator.settings.local")
    if len(sys.argv) > 1 and sys.argv[1] == "runserver":
        os.environ.setdefault("CC_ROLE", "web")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from environs import EnvError
    except ImportError:
        sys.exit("Django is not installed here. Run `make requirements`, then use .venv/bin/python manage.py ...")
    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, EnvError) as error:
        # A setting is missing or wrong: the message names it; where the settings are read is of no use to anybody.
        sys.exit(str(error))


if __name__ == "__main__":
    main()
