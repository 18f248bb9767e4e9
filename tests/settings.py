"""The project the tests run in; TEST_DATABASE chooses its database (sqlite, postgresql or mariadb)."""

from __future__ import annotations

import os

from tests import databases

SECRET_KEY = "only for tests"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": databases.find(os.environ.get("TEST_DATABASE", "sqlite")),
    "replica": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "/nowhere/replica",
        "TEST": {"MIRROR": "default"},
    },
}
DATABASE_ROUTERS = ["tests.routers.ReadsFromReplica"]
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
    "tests",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
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
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ROOT_URLCONF = "tests.urls"
# The example's weather service is one of the tests that ask it.
WEATHER_URL = "http://127.0.0.1:9"
WEATHER_KEY = ""
STATIC_URL = "static/"
