from django_jobs.models.attempt import Attempt
from django_jobs.models.error import JobError
from django_jobs.models.job import Job

__all__ = ["Attempt", "Job", "JobError"]
