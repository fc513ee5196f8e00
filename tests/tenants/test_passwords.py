"""Passwords are kept as Argon2id; those of before go on and are kept anew at the next sign-in."""

import re
from typing import Any

import pytest
from django.conf import settings as real
from django.contrib.auth.hashers import check_password, identify_hasher, make_password
from django.test import Client

from tenants.models import User

HASHERS = list(real.PASSWORD_HASHERS)
PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def _real_hashers(_fast_passwords: None, settings: Any) -> None:
    settings.PASSWORD_HASHERS = HASHERS


def test_a_password_is_kept_as_argon2id_and_known_again() -> None:
    kept = make_password(PASSWORD)
    assert re.fullmatch(r"argon2\$argon2id\$v=19\$m=32768,t=2,p=1\$[\w+/]+\$[\w+/]{43}", kept)
    assert (check_password(PASSWORD, kept), check_password(PASSWORD + "!", kept)) == (True, False)
    assert make_password(PASSWORD) != kept, "two have the same salt"
    assert not identify_hasher(kept).must_update(kept)
    assert kept.rpartition("$")[2] not in str(identify_hasher(kept).safe_summary(kept))


def test_a_cheaper_one_is_to_be_made_anew() -> None:
    kept = make_password(PASSWORD)
    assert identify_hasher(kept).must_update(kept.replace("t=2", "t=1"))


@pytest.mark.django_db
def test_an_account_of_before_signs_in_and_is_kept_anew(client: Client) -> None:
    person = User.objects.create(username="old", password=make_password(PASSWORD, hasher="scrypt"))
    answer = client.post("/accounts/sign-in/", {"username": "old", "password": PASSWORD})
    assert answer.status_code == 302
    person.refresh_from_db()
    assert person.password.startswith("argon2$")
    assert person.check_password(PASSWORD)
