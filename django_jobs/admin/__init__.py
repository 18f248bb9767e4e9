"""Jobs, attempts and errors in the Django admin: everything to see, nothing to change.

On a site of your own: `site.register(Job, JobAdmin)`, and so with the other two.
"""

from django_jobs.admin.attempt import AttemptAdmin
from django_jobs.admin.error import JobErrorAdmin
from django_jobs.admin.job import JobAdmin

__all__ = ["AttemptAdmin", "JobAdmin", "JobErrorAdmin"]
