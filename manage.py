#!/usr/bin/env python
"""Run a management command of the example project."""

import os
import sys


def main() -> None:
    """Hand the command line to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

    from django.core.management import execute_from_command_line

    from example_project.database import UnknownDatabase

    try:
        execute_from_command_line(sys.argv)
    except UnknownDatabase as error:
        # A word mistyped in a command is answered by a sentence; only the settings can raise this.
        sys.exit(str(error))


if __name__ == "__main__":
    main()
