"""A model instance travels as its key and is read again."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

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
