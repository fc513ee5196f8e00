"""People with second factors, added as they add them."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from tests.conftest import PASSWORD, Cast
from tests.factors.keys import HOST, Key, code_of

SIGN_IN, CODE, PASSKEY = "/accounts/sign-in/", "/accounts/sign-in/code/", "/accounts/sign-in/passkey/"
SECURITY, APP, ADD = "/accounts/security/", "/accounts/security/app/", "/accounts/security/passkeys/"


def browser() -> Client:
    """At the one address of http where passkeys work."""
    return Client(SERVER_NAME=HOST)


def typed(client: Client, name: str = "developer", password: str = PASSWORD, **more: str) -> Any:
    return client.post(SIGN_IN, {"username": name, "password": password} | more)


def inside(client: Client) -> bool:
    return client.get("/accounts/profile/").status_code == 200


def add_app(client: Client) -> tuple[str, list[str]]:
    """The secret, and the recovery codes where these are the first."""
    page = client.get(APP).content.decode()
    sealed = unescape(re.findall(r'name="sealed" value="([^"]+)"', page)[0])
    secret = re.findall(r"<pre[^>]*>([A-Z2-7 ]+)</pre>", page)[0].replace(" ", "")
    answer = client.post(APP, {"sealed": sealed, "code": code_of(secret, later=-1)})
    assert answer.status_code in (200, 302), answer.content.decode()
    return secret, re.findall(r"\b\d{5}-\d{5}\b", answer.content.decode())[:10]


def add_passkey(client: Client, key: Key, name: str = "my laptop") -> Any:
    asked = client.get(ADD).json()
    sent = {"name": name, "credential": key.create(asked["options"]), "challenge": asked["challenge"]}
    return client.post(ADD, sent)


def use_passkey(client: Client, key: Key, **changed: str) -> Any:
    asked = client.get(PASSKEY).json()
    sent = {"credential": key.get(asked["options"]), "challenge": asked["challenge"]}
    return client.post(PASSKEY, sent | changed)


@pytest.fixture
def here(cast: Cast) -> Client:
    """The developer, who has just signed in with a password."""
    client = browser()
    assert typed(client).status_code == 302
    return client


@pytest.fixture
def with_app(here: Client) -> list[str]:
    """The developer has an app; these are the recovery codes."""
    return add_app(here)[1]


@pytest.fixture
def key(here: Client) -> Key:
    """The developer's passkey."""
    made = Key()
    assert add_passkey(here, made).status_code in (200, 302)
    return made
