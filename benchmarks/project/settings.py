"""An empty project with the admin: what the figures are measured in; BENCH_DATABASE chooses its database."""

from __future__ import annotations

import os

from tests import databases

SECRET_KEY = "only for measuring"
ALLOWED_HOSTS = ["localhost"]
USE_TZ = True
ROOT_URLCONF = "benchmarks.project.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_jobs",
    "benchmarks.project.apps.ProjectConfig",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {"default": databases.find(os.environ.get("BENCH_DATABASE", "sqlite"))}
if synchronous := os.environ.get("BENCH_SYNCHRONOUS"):
    pragmas = f"PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous};"
    DATABASES["default"]["OPTIONS"]["init_command"] = pragmas
STATIC_URL = "static/"
