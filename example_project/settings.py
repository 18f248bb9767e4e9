"""Settings of the airport guide: a laptop, SQLite and nothing to install, or a server that is named."""

from __future__ import annotations

import os
from pathlib import Path

from example_project.database import database
from example_project.mail import mail_settings

PROJECT = Path(__file__).resolve().parent

# Everything the guide writes goes here; the tests give each of their runs a home of its own.
HOME = Path(os.environ.get("AIRPORT_GUIDE_HOME", PROJECT))

# Known to everybody who can read this file: good for a demo on your own machine, for nothing else.
SECRET_KEY = "the-airport-guide-is-a-demo-and-keeps-no-secrets"
DEBUG = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_jobs",
    "example_project.airports",
    "example_project.hanging",
    "example_project.weather",
    "example_project.reports",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "example_project.urls"

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

# "sqlite", "postgresql", "mariadb" or a URL of a server; the demo's workers inherit it.
DATABASE = os.environ.get("AIRPORT_GUIDE_DATABASE", "sqlite")
DATABASES = {"default": database(DATABASE, home=HOME)}

# Short, so that one can kill the worker and watch its jobs being rescued.
DJANGO_JOBS = {"LEASE": 10}

# The demo starts both servers itself and says here where they are; by hand there is none, and the jobs retry.
WEATHER_URL = os.environ.get("AIRPORT_GUIDE_WEATHER", "http://127.0.0.1:8001")
WEATHER_KEY = "known-to-everybody-as-well"
vars().update(mail_settings(port=int(os.environ.get("AIRPORT_GUIDE_SMTP", "8025"))))
DEFAULT_FROM_EMAIL = "guide@airport-guide.example"

STORAGES = {
    # A job may run twice: its second thumbnail takes the place of the first.
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"allow_overwrite": True},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MEDIA_ROOT = HOME / "media"
MEDIA_URL = "media/"
STATIC_URL = "static/"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
