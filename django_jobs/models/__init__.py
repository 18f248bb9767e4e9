from django_jobs.models.attempt import Attempt
from django_jobs.models.counter import Counter
from django_jobs.models.error import JobError
from django_jobs.models.expiry import ResultExpiry
from django_jobs.models.job import Job
from django_jobs.models.note import JobNote
from django_jobs.models.queue import Queue
from django_jobs.models.workerprocess import WorkerProcess

__all__ = ["Attempt", "Counter", "Job", "JobError", "JobNote", "Queue", "ResultExpiry", "WorkerProcess"]
