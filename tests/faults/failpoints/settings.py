"""The settings of worker processes, with all that a site has: its admin comes by points as well."""

from tests.processes.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as INSTALLED_APPS
