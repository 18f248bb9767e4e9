"""How Sphinx builds these pages: `make docs`."""

from __future__ import annotations

project = "django_jobs"
author = "django_jobs contributors"
copyright = "django_jobs contributors"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
# What is in benchmarks/ is included by a page.
exclude_patterns = ["_build", "benchmarks"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "django_jobs"
html_show_sourcelink = False
