"""A site on which our classes are built on django-unfold's."""

from __future__ import annotations

from django.urls import path
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite

from django_jobs.admin import AttemptAdmin, JobAdmin, JobErrorAdmin, QueueAdmin, WorkerProcessAdmin
from django_jobs.models import Attempt, Job, JobError, Queue, WorkerProcess

BUILT_ON = {
    Job: JobAdmin,
    Attempt: AttemptAdmin,
    JobError: JobErrorAdmin,
    Queue: QueueAdmin,
    WorkerProcess: WorkerProcessAdmin,
}

site = UnfoldAdminSite(name="admin")
for model, ours in BUILT_ON.items():
    site.register(model, type(f"Unfolded{ours.__name__}", (ours, ModelAdmin), {}))

urlpatterns = [path("admin/", site.urls)]
