"""What several tests of the runner need."""

from __future__ import annotations

from tests.runner.office import office

__all__ = ["office"]
