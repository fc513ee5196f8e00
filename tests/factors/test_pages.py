"""Adding, naming and removing one's own factors in the pages; what is kept, and what the audit says."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from tenants.models import Session, User
from tenants.sessions import SessionStore
from tests.conftest import PASSWORD, Cast
from tests.factors.conftest import (
    ADD,
    APP,
    CODE,
    SECURITY,
    add_app,
    add_passkey,
    browser,
    inside,
    typed,
    use_passkey,
)
from tests.factors.keys import Key, code_of, secret_of

PROVE = "/accounts/security/prove/"
PROOF_NEEDED = {"Location": f"{PROVE}?next={SECURITY}"}


def factor_of(user: User, kind: str = "totp") -> str:
    from tenants.factors.selectors import public_id

    return str(public_id(Authenticator.objects.filter(user=user, type=kind).latest("pk")))


def aged(client: Client) -> Client:
    """As if the sign-in had been a quarter of an hour ago."""
    session = client.session
    then = (timezone.now() - timezone.timedelta(minutes=15)).isoformat()
    session["came"] = session["came"] | {"at": then}
    session.pop("proved", None)
    session.save()
    return client


def stored() -> str:
    return str(list(Authenticator.objects.values_list("data", flat=True)))


# --- the app -----------------------------------------------------------------------------------------------------


def test_an_app_counts_once_it_has_shown_a_code(cast: Cast, here: Client) -> None:
    page = here.get(APP).content.decode()
    assert "<svg" in page
    assert "otpauth" not in page
    assert not Authenticator.objects.exists()
    secret, codes = add_app(here)
    assert len(set(codes)) == 10
    assert secret_of(cast.developer) == secret
    entry = AuditEntry.objects.get(action="factor.add_app")
    assert (entry.result, entry.after, entry.actor_name) == (
        "accepted", {"kind": "totp", "name": "Authenticator app"}, "developer",
    )  # fmt: skip
    assert AuditEntry.objects.get(action="factor.codes").after == {"codes": 10}


def test_a_wrong_code_sets_nothing_up_and_keeps_the_picture(cast: Cast, here: Client) -> None:
    first = here.get(APP)
    sealed, secret = first.context["offer"].sealed, first.context["offer"].secret
    answer = here.post(APP, {"sealed": sealed, "code": "000000"})
    assert (answer.status_code, answer.context["offer"].secret) == (422, secret)
    assert "The code is not right" in answer.content.decode()
    assert not Authenticator.objects.exists()
    assert AuditEntry.objects.get(action="factor.add_app").result == "refused"
    assert here.post(APP, {"sealed": sealed}).context["offer"].secret == secret


@pytest.mark.parametrize("sealed", ["", "x", "é", "0" * 3000])
def test_a_secret_of_ones_own_is_not_taken(cast: Cast, here: Client, sealed: str) -> None:
    assert here.post(APP, {"sealed": sealed, "code": "000000"}).headers["Location"] == APP
    assert not Authenticator.objects.exists()


def test_a_secret_shown_to_another_is_not_taken(cast: Cast, here: Client) -> None:
    other = browser()
    typed(other, "guest")
    offer = other.get(APP).context["offer"]
    sent = {"sealed": offer.sealed, "code": code_of(offer.secret.replace(" ", ""))}
    assert here.post(APP, sent).headers["Location"] == APP


def test_the_code_that_set_it_up_does_not_sign_in(cast: Cast, here: Client) -> None:
    offer = here.get(APP).context["offer"]
    code = code_of(offer.secret.replace(" ", ""))
    assert here.post(APP, {"sealed": offer.sealed, "code": code}).status_code == 200
    client = browser()
    typed(client)
    client.post(CODE, {"code": code})
    assert not inside(client)


def test_there_is_one_app(cast: Cast, here: Client, with_app: list[str]) -> None:
    offer = here.get(APP).context["offer"]
    answer = here.post(APP, {"sealed": offer.sealed, "code": code_of(offer.secret.replace(" ", ""))})
    assert answer.status_code == 422
    assert "There is an app already" in answer.content.decode()


def test_secrets_stand_nowhere_in_clear(cast: Cast, here: Client, with_app: list[str]) -> None:
    secret = secret_of(cast.developer)
    recovery = Authenticator.objects.get(user=cast.developer, type="recovery_codes")
    seed = recovery.wrap().instance.data["seed"]
    entries = str(list(AuditEntry.objects.values()))
    sessions = str([SessionStore().decode(row.session_data) for row in Session.objects.all()])
    for kept in (stored(), entries, sessions):
        assert secret not in kept
        assert not [code for code in with_app if code in kept or code.replace("-", "") in kept]
    assert seed.startswith("gAAAA")
    assert secret not in here.get(SECURITY).content.decode()


# --- passkeys ----------------------------------------------------------------------------------------------------


def test_passkeys_are_added_named_and_removed(cast: Cast, here: Client) -> None:
    key = Key()
    first = add_passkey(here, key)
    assert (first.status_code, len(first.context["codes"].split())) == (200, 10), "the first brings recovery codes"
    assert add_passkey(here, Key(), "<b>desk</b>").status_code == 302
    page = here.get(SECURITY).content.decode()
    assert "my laptop" in page
    assert "&lt;b&gt;desk&lt;/b&gt;" in page
    assert "<b>desk</b>" not in page
    one = factor_of(cast.developer, "webauthn")
    assert here.post(f"{SECURITY}{one}/name/", {"name": " desk "}).status_code == 302
    entry = AuditEntry.objects.get(action="factor.rename")
    assert (entry.before, entry.after) == ({"name": "<b>desk</b>"}, {"name": "desk"})
    assert here.post(f"{SECURITY}{one}/name/", {"name": ""}).status_code == 422
    assert here.post(f"{SECURITY}{one}/remove/").status_code == 302
    assert AuditEntry.objects.get(action="factor.remove").before == {"kind": "webauthn", "name": "desk"}
    assert use_passkey(browser(), key).status_code == 302
    (row,) = Authenticator.objects.filter(type="webauthn")
    assert (row.data["host"], row.last_used_at is not None) == ("localhost", True)


def test_a_removed_passkey_opens_nothing(cast: Cast, here: Client, key: Key) -> None:
    assert here.post(f"{SECURITY}{factor_of(cast.developer, 'webauthn')}/remove/").status_code == 302
    assert use_passkey(browser(), key).status_code == 200
    assert typed(browser()).headers["Location"] == "/"


@pytest.mark.parametrize("lie", [{"origin": "http://berth.evil"}, {"host": "berth.evil"}, {"flags": 1}, {"flags": 4}])
def test_a_passkey_that_is_not_right_is_not_added(cast: Cast, here: Client, lie: dict[str, Any]) -> None:
    answer = add_passkey(here, Key(**lie))
    assert answer.status_code == 422
    assert "Begin again" in answer.content.decode()
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"credential": "{}"},
        {"credential": "[" * 9000},
        {"credential": '{"id": "AA", "rawId": "AA", "type": "x", "response": {"clientDataJSON": 1}}'},
        {"credential": ""},
        {"challenge": "x"},
        {"name": ""},
        {"name": " "},
        {"name": "x" * 61},
    ],
)
def test_rubbish_is_no_passkey(cast: Cast, here: Client, change: dict[str, str]) -> None:
    asked = here.get(ADD).json()
    sent = {"name": "one", "credential": Key().create(asked["options"]), "challenge": asked["challenge"]}
    assert here.post(ADD, sent | change).status_code == 422
    assert not Authenticator.objects.exists()


def test_a_challenge_for_one_is_none_for_another(cast: Cast, here: Client) -> None:
    other = browser()
    typed(other, "guest")
    asked = other.get(ADD).json()
    sent = {"name": "one", "credential": Key().create(asked["options"]), "challenge": asked["challenge"]}
    assert here.post(ADD, sent).status_code == 422
    signing = browser().get("/accounts/sign-in/passkey/").json()
    assert here.post(ADD, sent | {"challenge": signing["challenge"]}).status_code == 422


def test_one_passkey_is_added_once(cast: Cast, here: Client, key: Key) -> None:
    again = add_passkey(here, key)
    assert again.status_code == 422
    assert "there already" in again.content.decode()
    asked = here.get(ADD).json()
    assert len(asked["options"]["publicKey"]["excludeCredentials"]) == 1


def test_the_page_says_where_passkeys_do_not_work(cast: Cast) -> None:
    for host, works in (("127.0.0.1", False), ("localhost", True), ("berth.localhost", True)):
        client = Client(SERVER_NAME=host)
        client.force_login(cast.developer)
        client.post("/accounts/security/prove/", {"password": PASSWORD})
        page = client.get(SECURITY)
        if page.status_code == 400:
            continue  # not among ALLOWED_HOSTS
        assert page.context["passkeys_work"] is works
        assert ("do not work at this address" in page.content.decode()) is not works


# --- recovery codes ----------------------------------------------------------------------------------------------


def test_new_recovery_codes_end_the_old_ones(cast: Cast, here: Client, with_app: list[str]) -> None:
    answer = here.post(f"{SECURITY}codes/")
    fresh = answer.context["codes"].split()
    assert len(fresh) == 10
    assert not set(fresh) & set(with_app)
    assert "berth-recovery-codes.txt" in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert not [code for code in fresh if code in here.get(SECURITY).content.decode()]
    client = browser()
    typed(client)
    client.post(CODE, {"code": with_app[0]})
    assert not inside(client)
    client.post(CODE, {"code": fresh[0]})
    assert inside(client)


def test_without_a_factor_there_are_no_codes(cast: Cast, here: Client, with_app: list[str]) -> None:
    assert here.post(f"{SECURITY}{factor_of(cast.developer)}/remove/").status_code == 302
    assert not Authenticator.objects.exists(), "they went with the last factor"
    assert here.post(f"{SECURITY}codes/").status_code == 409


# --- showing that it is you --------------------------------------------------------------------------------------


@pytest.fixture
def old(here: Client, with_app: list[str]) -> Client:
    return aged(here)


def test_a_sign_in_of_a_while_ago_does_not_suffice(cast: Cast, old: Client) -> None:
    one = factor_of(cast.developer)
    assert old.get(SECURITY).status_code == 200
    assert "Remove the app" not in old.get(SECURITY).content.decode()
    assert old.get(APP).headers["Location"] == f"{PROVE}?next={APP}"
    for address in (f"{SECURITY}{one}/remove/", f"{SECURITY}{one}/name/", f"{SECURITY}codes/", ADD, APP):
        answer = old.post(address, {"name": "x"})
        assert (answer.status_code, answer.headers["Location"]) == (302, PROOF_NEEDED["Location"]), address
    assert Authenticator.objects.filter(user=cast.developer).count() == 2


@pytest.mark.parametrize("by", ["password", "code", "recovery", "passkey"])
def test_password_code_or_passkey_shows_it(cast: Cast, here: Client, key: Key, by: str) -> None:
    _secret, _none = add_app(here)
    recovery = here.post(f"{SECURITY}codes/").context["codes"].split()[0]
    aged(here)
    sent = {
        "password": {"password": PASSWORD},
        "code": {"code": code_of(cast.developer)},
        "recovery": {"code": recovery},
    }
    asked = here.get("/accounts/sign-in/passkey/")
    if by == "passkey":
        document = asked.json()
        sent["passkey"] = {"credential": key.get(document["options"]), "challenge": document["challenge"]}
    answer = here.post(f"{PROVE}?next={APP}", sent[by])
    assert (answer.status_code, answer.headers["Location"]) == (302, APP)
    assert here.get(APP).status_code == 200
    entry = AuditEntry.objects.get(action="session.prove")
    assert (entry.result, entry.actor_name) == ("done", "developer")


@pytest.mark.parametrize("sent", [{}, {"password": "wrong"}, {"code": "000000"}, {"credential": "{}"}])
def test_what_is_wrong_shows_nothing(cast: Cast, old: Client, sent: dict[str, str]) -> None:
    assert old.post(PROVE, sent).status_code == 422
    assert old.get(APP).status_code == 302
    entries = AuditEntry.objects.filter(action="session.prove", result="denied", actor_name="developer")
    assert entries.count() == (1 if sent else 0)


def test_another_persons_passkey_shows_nothing(cast: Cast, old: Client) -> None:
    other = browser()
    typed(other, "guest")
    theirs = Key()
    add_passkey(other, theirs)
    asked = old.get("/accounts/sign-in/passkey/").json()
    sent = {"credential": theirs.get(asked["options"]), "challenge": asked["challenge"]}
    assert old.post(PROVE, sent).status_code == 422
    assert old.get(APP).status_code == 302


def test_guessing_there_is_throttled_like_the_door(cast: Cast, old: Client) -> None:
    for _turn in range(5):
        assert old.post(PROVE, {"password": "wrong"}).status_code == 422
    assert old.post(PROVE, {"password": PASSWORD}).status_code == 429
    assert typed(browser()).status_code == 429


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil"])
def test_one_is_led_nowhere_else_afterwards(cast: Cast, old: Client, address: str) -> None:
    answer = old.post(f"{PROVE}?next={address}", {"password": PASSWORD})
    assert answer.headers["Location"] == SECURITY


def test_a_new_password_keeps_the_factors(cast: Cast, here: Client, with_app: list[str]) -> None:
    new = "quite another password"
    sent = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/accounts/password/", sent).status_code == 302
    client = browser()
    assert typed(client, password=new).headers["Location"] == CODE
    client.post(CODE, {"code": code_of(cast.developer)})
    assert inside(client)


def test_people_of_keystone_are_sent_there(cast: Cast, here: Client) -> None:
    User.objects.filter(pk=cast.developer.pk).update(source="elsewhere")
    page = here.get(SECURITY).content.decode()
    assert "Your organization keeps your second factors" in page
    assert "Set up an app" not in page
    offer = here.get(APP).context["offer"]
    sent = {"sealed": offer.sealed, "code": code_of(offer.secret.replace(" ", ""))}
    assert here.post(APP, sent).status_code == 422
    assert not Authenticator.objects.exists()
