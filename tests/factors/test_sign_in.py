"""The door with a second factor behind it: no session before it is shown, and nothing works twice."""

import base64
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.test import Client

from audit.models import AuditEntry
from tenants.models import Notice, Session
from tests.conftest import PASSWORD, Cast
from tests.factors.conftest import CODE, PASSKEY, SIGN_IN, browser, inside, typed, use_passkey
from tests.factors.keys import Key, code_of

App = list[str]


def last(action: str) -> AuditEntry:
    return AuditEntry.objects.filter(action=action).latest("at", "seq")


def test_a_right_password_alone_begins_no_session(cast: Cast, with_app: App) -> None:
    client = browser()
    before = Session.objects.filter(user=cast.developer).count()
    answer = typed(client)
    assert (answer.status_code, answer.headers["Location"]) == (302, CODE)
    assert not inside(client)
    assert Session.objects.filter(user=cast.developer).count() == before
    assert client.get("/api/v1/me").status_code == 401
    assert client.get(CODE).status_code == 200


def test_the_code_of_the_app_opens_once(cast: Cast, with_app: App) -> None:
    code = code_of(cast.developer)
    client = browser()
    typed(client, next="/accounts/tokens/")
    answer = client.post(CODE, {"code": f"{code[:3]} {code[3:]}"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/tokens/")
    assert inside(client)
    assert last("session.sign_in").detail == {"with": "code"}
    other = browser()
    typed(other)
    again = other.post(CODE, {"code": code})
    assert (again.status_code, inside(other)) == (200, False)
    assert "wrong or too old" in again.content.decode()
    entry = last("session.sign_in")
    assert (entry.result, entry.detail, entry.target_name) == (
        "denied", {"tried": "developer", "with": "code"}, "developer",
    )  # fmt: skip


def test_an_earlier_code_than_the_last_one_is_as_used(cast: Cast, with_app: App) -> None:
    client = browser()
    typed(client)
    client.post(CODE, {"code": code_of(cast.developer, later=1)})
    assert inside(client)
    other = browser()
    typed(other)
    other.post(CODE, {"code": code_of(cast.developer)})
    assert not inside(other)


@pytest.mark.parametrize("code", ["000000", "", "x", "٣٣٣٣٣٣", "1" * 21, "12345-67890", "\0"])
def test_wrong_codes_do_not_open(cast: Cast, with_app: App, code: str) -> None:
    client = browser()
    typed(client)
    assert client.post(CODE, {"code": code}).status_code == 200
    assert not inside(client)


def test_wrong_codes_are_counted_like_passwords(cast: Cast, with_app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser()
    typed(client)
    for _turn in range(5):
        assert client.post(CODE, {"code": "12345-00000"}).status_code == 200
    looked: list[Any] = []
    monkeypatch.setattr("tenants.factors.codes.accepted", lambda *given: looked.append(given))
    refused = client.post(CODE, {"code": code_of(cast.developer)})
    assert (refused.status_code, looked, inside(client)) == (429, [], False)
    assert typed(browser()).status_code == 429, "and so is the password now"
    kept = str(list(AccessAttempt.objects.values()))
    assert "12345-00000" not in kept


def test_a_right_password_does_not_forget_wrong_codes(cast: Cast, with_app: App) -> None:
    for _turn in range(5):
        client = browser()
        typed(client)
        client.post(CODE, {"code": "000000"})
    assert typed(browser()).status_code == 429


def test_a_recovery_code_opens_once_and_is_told(cast: Cast, with_app: App) -> None:
    client = browser()
    typed(client)
    assert client.post(CODE, {"code": with_app[3]}).status_code == 302
    assert inside(client)
    assert last("session.sign_in").detail == {"with": "recovery code"}
    assert last("factor.spend_code").after == {"left": 9}
    assert Notice.objects.get(user=cast.developer, kind="factor.spent").params == {"left": 9}
    assert "9 codes are left" in client.get("/accounts/notices/").content.decode()
    other = browser()
    typed(other)
    assert other.post(CODE, {"code": with_app[3]}).status_code == 200
    assert not inside(other)
    assert other.post(CODE, {"code": with_app[4].replace("-", " ")}).status_code == 302


def test_nobody_gets_to_the_code_without_the_password(cast: Cast, with_app: App, client: Client) -> None:
    answer = client.post(CODE, {"code": code_of(cast.developer), "username": "developer"})
    assert (answer.status_code, answer.headers["Location"]) == (302, SIGN_IN)
    typed(client, password="wrong")
    assert client.get(CODE).status_code == 302
    both = client.post(SIGN_IN, {"username": "developer", "password": "wrong", "code": code_of(cast.developer)})
    assert (both.status_code, inside(client)) == (200, False)


def test_a_wrong_password_looks_alike_with_and_without_a_factor(cast: Cast, with_app: App) -> None:
    one, other = (typed(browser(), name, "wrong") for name in ("developer", "guest"))
    missing = typed(browser(), "no-such-one", "wrong")
    texts = [
        answer.content.decode().replace(name, "")
        for answer, name in ((one, "developer"), (other, "guest"), (missing, "no-such-one"))
    ]
    assert len({text.count("User name or password is wrong") for text in texts}) == 1
    assert [answer.status_code for answer in (one, other, missing)] == [200, 200, 200]


def test_who_was_disabled_meanwhile_stays_out(cast: Cast, with_app: App, key: Key) -> None:
    client = browser()
    typed(client)
    cast.developer.is_active = False
    cast.developer.save()
    client.post(CODE, {"code": code_of(cast.developer)})
    assert not inside(client)
    assert use_passkey(browser(), key).status_code == 200


def test_a_factor_of_one_is_none_of_another(cast: Cast, with_app: App) -> None:
    assert typed(browser(), "guest").headers["Location"] == "/"
    client = browser()
    typed(client)
    code = code_of(cast.developer)
    Authenticator.objects.filter(user=cast.developer).update(user=cast.guest)
    client.post(CODE, {"code": code})
    assert not inside(client)


# --- passkeys ----------------------------------------------------------------------------------------------------


def test_a_passkey_signs_in_alone(cast: Cast, key: Key) -> None:
    client = browser()
    answer = use_passkey(client, key, next="/accounts/tokens/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/tokens/")
    assert inside(client)
    entry = last("session.sign_in")
    assert (entry.actor_name, entry.detail, entry.result) == ("developer", {"with": "passkey"}, "done")


def test_asking_for_a_passkey_names_nobody_and_keeps_nothing(cast: Cast, key: Key) -> None:
    sessions = Session.objects.count()
    asked = browser().get(PASSKEY).json()
    assert asked["options"]["publicKey"].get("allowCredentials", []) == []
    assert asked["options"]["publicKey"]["userVerification"] == "required"
    assert Session.objects.count() == sessions


def test_an_answer_works_once(cast: Cast, key: Key) -> None:
    client = browser()
    asked = client.get(PASSKEY).json()
    sent = {"credential": key.get(asked["options"]), "challenge": asked["challenge"]}
    assert client.post(PASSKEY, sent).status_code == 302
    again = browser()
    assert (again.post(PASSKEY, sent).status_code, inside(again)) == (200, False)
    newer = sent | {"challenge": again.get(PASSKEY).json()["challenge"]}
    assert (again.post(PASSKEY, newer).status_code, inside(again)) == (200, False)


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "http://berth.evil"},
        {"origin": "http://localhost.evil"},
        {"host": "berth.evil"},
        {"flags": 1},
        {"flags": 4},
        {"id": b"another"},
        {"count": -1},
        {"user": "bm9ib2R5"},
    ],
)
def test_a_passkey_that_is_not_right_does_not_open(cast: Cast, key: Key, lie: dict[str, Any]) -> None:
    for name, value in lie.items():
        setattr(key, name, value)
    client = browser()
    answer = use_passkey(client, key)
    assert (answer.status_code, inside(client)) == (200, False)
    assert "This passkey does not open Berth here" in answer.content.decode()
    entry = last("session.sign_in")
    assert (entry.result, entry.detail["with"]) == ("denied", "passkey")


def test_another_key_with_the_same_name_does_not_open(cast: Cast, key: Key) -> None:
    forged = Key(id=key.id, user=key.user, count=50)
    assert use_passkey(browser(), forged).status_code == 200


@pytest.mark.parametrize(
    "credential",
    ["", "-", "{}", "[]", "null", "1", '{"id": 1}', "[" * 9000, "x" * 30_000, '{"response": {"userHandle": "AA"}}',
     '{"response": {"userHandle": null}}', '{"id":"AA","rawId":"AA","type":"public-key","response":{"userHandle":"AA",'
     '"clientDataJSON":"AA","authenticatorData":"AA","signature":"AA"}}'],
)  # fmt: skip
def test_rubbish_is_refused_like_a_wrong_passkey(cast: Cast, key: Key, credential: str) -> None:
    answer = use_passkey(browser(), key, credential=credential)
    assert answer.status_code == 200
    assert "This passkey does not open Berth here" in answer.content.decode()


@pytest.mark.parametrize("challenge", ["", "x", "é", "x" * 5000])
def test_a_challenge_of_ones_own_is_refused(cast: Cast, key: Key, challenge: str) -> None:
    assert use_passkey(browser(), key, challenge=challenge).status_code == 200


def test_wrong_passkeys_are_counted(cast: Cast, key: Key) -> None:
    client, other = browser(), Key(user=key.user)
    key.flags = 1
    for _turn in range(5):
        assert use_passkey(client, key).status_code == 200
    key.flags = 5
    refused = use_passkey(client, key)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "300")
    assert "Too many wrong sign-ins" in refused.content.decode()
    assert 'value="passkey' not in refused.content.decode()
    assert use_passkey(client, other).status_code == 200, "another passkey is looked at"
    assert typed(client).headers["Location"] == CODE, "and so are passwords"


def test_many_passkeys_of_one_address_are_a_flood(cast: Cast, key: Key, settings: Any) -> None:
    settings.AXES_ADDRESS_LIMIT = 3
    answers = [use_passkey(browser(), Key(user=key.user)).status_code for _turn in range(4)]
    assert answers == [200, 200, 200, 429]


def test_a_passkey_stands_in_for_the_code(cast: Cast, with_app: App, key: Key) -> None:
    client = browser()
    typed(client, next="/accounts/tokens/")
    page = client.get(CODE).content.decode()
    assert "Use a passkey" in page
    assert 'value="/accounts/tokens/"' in page
    assert use_passkey(client, key).status_code == 302
    assert inside(client)


def test_passkeys_are_offered_only_where_they_work(cast: Cast, key: Key) -> None:
    assert "Use a passkey" in browser().get(SIGN_IN).content.decode()
    plain = Client(SERVER_NAME="127.0.0.1")
    assert "Use a passkey" not in plain.get(SIGN_IN).content.decode()
    plain.post(SIGN_IN, {"username": "developer", "password": PASSWORD})
    assert "does not work at this address" in plain.get(CODE).content.decode()


def test_tokens_know_no_second_factor_and_passwords_open_no_api(cast: Cast, with_app: App, api: Any) -> None:
    assert api("developer").get("/api/v1/me").status_code == 200
    basic = base64.b64encode(f"developer:{PASSWORD}".encode()).decode()
    assert Client(headers={"Authorization": f"Basic {basic}"}).get("/api/v1/me").status_code == 401
