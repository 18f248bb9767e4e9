"""A model instance travels as its key and is read again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection, models

from django_jobs import SerializationError
from django_jobs.serializers import JSONSerializer

pytestmark = pytest.mark.django_db

serializer = JSONSerializer()


def test_an_instance_comes_back_as_it_is_by_then() -> None:
    group = Group.objects.create(name="pilots")
    data = serializer.dumps({"groups": [group]})
    Group.objects.update(name="crew")
    (back,) = serializer.loads(data)["groups"]
    assert back == group
    assert back.name == "crew"


def test_it_is_stored_as_model_key_and_database() -> None:
    group = Group.objects.create(name="pilots")
    assert serializer.dumps(group).decode() == f'{{"$model":["auth.group",{group.pk},"default"]}}'


def test_one_that_is_not_saved_is_refused() -> None:
    with pytest.raises(
        SerializationError, match=r"\[0\] cannot be stored: this auth\.group is not saved yet"
    ):
        serializer.dumps([Group(name="pilots")])


def test_one_that_is_gone_is_a_serialization_error() -> None:
    group = Group.objects.create(name="pilots")
    data = serializer.dumps(group)
    group.delete()
    with pytest.raises(SerializationError, match=r"auth\.group with the key \d+ does not exist any more"):
        serializer.loads(data)


@pytest.mark.parametrize(
    "key", ['["no.such",1,"default"]', '["auth.group",1,"gone"]', '["auth.group","x","default"]']
)
def test_a_key_that_leads_nowhere_is_a_serialization_error(key: Any) -> None:
    with pytest.raises(SerializationError, match="does not exist any more"):
        serializer.loads(f'{{"$model":{key}}}'.encode())


@contextmanager
def forgotten(*names: str) -> Iterator[None]:
    """Let models of these names be there for one test only: `tests` has no migrations."""
    yield
    for name in names:
        del apps.all_models["tests"][name]
    apps.clear_cache()


@pytest.fixture
def crew_model() -> Iterator[type[Group]]:
    """Return a proxy of a model."""

    class Crew(Group):
        class Meta:
            app_label = "tests"
            proxy = True

    with forgotten("crew"):
        yield Crew


@pytest.fixture
def captain_model(db: None) -> Iterator[type[Group]]:
    """Return a model that has its parent's table and one of its own."""

    class Captain(Group):
        stars = models.IntegerField(default=0)

        class Meta:
            app_label = "tests"

    with forgotten("captain"):
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE tests_captain (group_ptr_id INTEGER PRIMARY KEY, stars INTEGER)")
        yield Captain


def test_one_of_a_proxy_comes_back_as_one_of_the_proxy(crew_model: type[Group]) -> None:
    crew = crew_model.objects.create(name="crew")
    back = serializer.loads(serializer.dumps(crew))
    assert type(back) is crew_model
    assert back == crew


# Elsewhere a new table would commit the test's transaction.
@pytest.mark.only_on("sqlite", "postgresql")
def test_one_of_a_child_comes_back_whole_and_its_parent_as_the_parent(captain_model: type[Any]) -> None:
    captain = captain_model.objects.create(name="ada", stars=1)
    data = serializer.dumps([captain, captain.group_ptr])
    captain_model.objects.update(stars=4)
    back, parent = serializer.loads(data)
    assert (type(back), back.pk, back.name, back.stars) == (captain_model, captain.pk, "ada", 4)
    assert (type(parent), parent) == (Group, captain.group_ptr)


class WritesToDefault:
    """Sends every write to the primary, as the router of a project with a replica does."""

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str:
        """Return the primary, also for a row that was read from the replica."""
        return "default"


@pytest.mark.parametrize(("routers", "alias"), [([], "replica"), ([WritesToDefault()], "default")])
def test_one_read_elsewhere_is_read_again_where_it_would_be_written(
    settings: Any, routers: list[Any], alias: str
) -> None:
    settings.DATABASE_ROUTERS = routers
    read = Group.from_db("replica", ["id", "name"], [7, "pilots"])
    assert json.loads(serializer.dumps(read)) == {"$model": ["auth.group", 7, alias]}


def test_one_that_was_deleted_before_is_refused() -> None:
    group = Group.objects.create(name="pilots")
    group.delete()
    with pytest.raises(SerializationError, match="is not saved yet"):
        serializer.dumps(group)
