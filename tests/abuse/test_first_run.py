"""Whoever comes to an empty portal before its owner finds no door to become one."""

import re
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from portal import seed
from portal.checks import PUBLIC, routes
from tenants.models import Grant, User
from tests.rules import addresses

ROOT = Path(settings.BASE_DIR)
SAMPLE = {
    "username": "mallory",
    "name": "mallory",
    "password": "a long enough password",
    "password1": "a long enough password",
    "password2": "a long enough password",
    "role": "platform.operator",
    "is_superuser": "on",
}


@pytest.mark.wide
@pytest.mark.django_db
def test_no_address_makes_the_first_account() -> None:
    client = Client()
    for route in routes():
        address = addresses.of_nothing(route)
        for method in ("get", "post", "put", "patch"):
            getattr(client, method)(address, SAMPLE)
    for address in ("/setup", "/setup/", "/install", "/register/", "/signup/", "/accounts/sign-up/", "/api/v1/users"):
        assert client.post(address, SAMPLE).status_code == 404
    assert not User.objects.exists()
    assert not Grant.objects.exists()
    assert client.get("/").headers["Location"].startswith(reverse("sign_in"))


@pytest.mark.django_db
def test_the_first_password_is_given_once_and_is_not_the_same_for_all() -> None:
    assert seed.first_account("the first long password")
    assert not seed.first_account("another long password")
    owner = User.objects.get()
    assert owner.check_password("the first long password")
    assert not owner.is_superuser
    for usual in ("owner", "admin", "password", "berth", "changeme", ""):
        assert not owner.check_password(usual)


@pytest.mark.django_db
def test_preparing_again_tells_no_password() -> None:
    told = []
    for _time in range(2):
        said = StringIO()
        call_command("prepare", "--engine-note", "none", stdout=said)
        told.append(said.getvalue().splitlines()[-1])
    assert re.search(r'"password": "[\w-]{16,}"', told[0])
    assert '"password": null' in told[1]


@pytest.mark.parametrize("file", [".env.example", "compose.yaml", "Dockerfile", "Procfile"])
def test_no_key_is_delivered(file: str) -> None:
    """There is none that all installations share: without one nothing starts (tests/test_modes.py)."""
    for line in (ROOT / file).read_text().splitlines():
        name, _sign, value = line.strip().removeprefix("ENV ").removeprefix("export ").partition("=")
        if name in ("SECRET_KEY", "FIELD_KEYS", "POSTGRES_PASSWORD"):
            assert value.strip() == "" or value.lstrip('"').startswith(("$", "#")), line


def test_only_these_addresses_answer_to_strangers() -> None:
    """A new one here has to be thought about twice."""
    doors = {
        "healthz",
        "readyz",
        "sign_in",
        "sign_in_code",
        "sign_in_expired",
        "sign_in_passkey",
        "sign_out",
        "set_language",
        "set_theme",
        "favicon.ico",
        "registry_gate",  # likewise
        "registry_events",  # shows a secret that only the registry has
        "registry_token",  # a door, as the others: nobody gets anything without a password or a token
        "invitation",  # its address is the secret of one invitation
    }
    assert set(PUBLIC) == doors | {"portal_metrics"}  # which is not there without a token of its own
