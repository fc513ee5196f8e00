"""`./berth up --cast`: accounts named by their roles, made once, their passwords told once."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from apps.models import Environment
from launcher.up import say_passwords
from portal.cast import NAMES
from tenants.models import Grant, Project, User

pytestmark = pytest.mark.django_db
CAST = {
    ("owner", "tenant.owner", "acme", None),
    ("owner", "tenant.owner", "demo", None),
    ("auditor", "tenant.auditor", "acme", None),
    ("outsider", "tenant.owner", "globex", None),
    ("operator", "platform.operator", None, None),
    *(
        (name, f"project.{role}", "acme", project)
        for name, role in (("developer", "developer"), ("releaser", "release_manager"), ("guest", "guest"))
        for project in ("shop", "billing")
    ),
}


def prepared(*words: str) -> dict[str, Any]:
    said = StringIO()
    call_command("prepare", "--engine-note", "none", *words, stdout=said)
    answer: dict[str, Any] = json.loads(said.getvalue().splitlines()[-1])
    return answer


def grants() -> set[tuple[Any, ...]]:
    return set(Grant.objects.values_list("user__username", "role", "tenant__name", "project__name"))


def test_everybody_has_their_role_and_nothing_else() -> None:
    prepared("--cast")
    assert grants() == CAST
    projects = {str(project) for project in Project.objects.select_related("tenant")}
    assert projects == {"acme/shop", "acme/billing", "globex/store", "demo/shop"}
    assert Environment.objects.filter(project__tenant__name="acme", project__name="billing").count() == 3


def test_passwords_are_told_once_and_open_the_door() -> None:
    first, again = prepared("--cast"), prepared("--cast")
    told = first["cast"] | {first["owner"]: first["password"]}
    assert set(told) == set(NAMES)
    assert len(set(told.values())) == len(NAMES)
    assert (again["cast"], again["password"]) == ({}, None)
    for name, password in told.items():
        answer = Client().post("/accounts/sign-in/", {"username": name, "password": password})
        assert answer.status_code == 302, name
    assert grants() == CAST


def test_it_can_be_asked_for_later_and_takes_nothing_away() -> None:
    first = prepared()
    later = prepared("--cast")
    assert set(later["cast"]) == set(NAMES) - {"owner"}
    assert User.objects.get(username="owner").check_password(first["password"])
    assert grants() == CAST | {("owner", "platform.operator", None, None)}


def test_without_it_there_is_the_owner_alone() -> None:
    assert prepared()["cast"] == {}
    assert list(User.objects.values_list("username", flat=True)) == ["owner"]


def test_what_the_launcher_says(capsys: pytest.CaptureFixture[str]) -> None:
    say_passwords({"owner": None, "guest": None})
    assert capsys.readouterr().out == ""
    say_passwords({"owner": "first", "guest": None})
    assert "Sign in as owner with the one-time password first" in capsys.readouterr().out
    say_passwords({"owner": "first", "guest": "second"})
    said = capsys.readouterr().out
    assert "owner       first" in said
    assert "guest       second" in said
