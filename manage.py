#!/usr/bin/env python
"""Django's command line. The default settings are the local ones."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commerce_coordinator.settings.local")
    role = {"runserver": "web", "relay": "relay"}.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if role:
        os.environ.setdefault("CC_ROLE", role)
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from django.db import DatabaseError
        from environs import EnvError
    except ImportError:
        sys.exit("Django is not installed here. Run `make requirements`, then use .venv/bin/python manage.py ...")
    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, EnvError) as error:
        # A setting is missing or wrong: the message names it; where the settings are read is of no use to anybody.
        sys.exit(str(error))
    except DatabaseError as error:
        from commerce_coordinator.core.transactions import has_no_tables

        if not has_no_tables(error):
            raise
        sys.exit("The database has no tables: run `manage.py migrate`, or set CC_DATA to the folder of your instance.")
    except BrokenPipeError:
        # Whoever read us has enough, `head` say; Python's own last flush would complain once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
