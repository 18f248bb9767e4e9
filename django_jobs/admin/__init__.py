"""Jobs and all about them, queues and workers in the admin: all to be seen, and changed by actions alone.

On a site of your own: `site.register(Job, JobAdmin)`, and so with the others.
"""

from django_jobs.admin.attempt import AttemptAdmin
from django_jobs.admin.error import JobErrorAdmin
from django_jobs.admin.job import JobAdmin
from django_jobs.admin.queue import QueueAdmin
from django_jobs.admin.workerprocess import WorkerProcessAdmin

__all__ = ["AttemptAdmin", "JobAdmin", "JobErrorAdmin", "QueueAdmin", "WorkerProcessAdmin"]
