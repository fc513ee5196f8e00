"""Webhooks on pages: the tab of a project's settings, one of them, and a message with its tries."""

import re
from collections.abc import Callable

from django.test import Client

from audit.models import AuditEntry
from images import tasks
from images.hooks.models import Webhook, WebhookDelivery
from tests.conftest import Cast
from tests.hooks.conftest import Make, Tell
from tests.hooks.receiver import Receiver
from tests.outbound.speaking import whole

Browse = Callable[[str], Client]
PAGE = "/t/acme/p/shop/settings/webhooks/"
SHOWN = re.compile(r"whsec_[A-Za-z0-9+/=]+")


def test_made_on_the_page_with_a_secret_shown_once(cast: Cast, browse: Browse, address: str) -> None:
    client = browse("owner")
    assert "No webhook yet" in client.get(PAGE).content.decode()
    answer = client.post(PAGE, {"name": "ci", "address": address, "events": ["pushed", "scanned"], "secret": ""})
    hook = Webhook.objects.get()
    assert SHOWN.findall(answer.content.decode()) == [hook.secret.reveal()]
    listed = client.get(PAGE).content.decode()
    assert f"{PAGE}{hook.pk}/" in listed
    assert "whsec_" not in listed
    assert "a-key-of-the-receiver" not in listed


def test_what_is_wrong_stands_beside_its_field(cast: Cast, browse: Browse) -> None:
    answer = browse("owner").post(PAGE, {"name": "", "address": "https://10.0.0.1/", "events": []})
    assert answer.status_code == 422
    said = answer.content.decode()
    assert "Name it." in said
    assert "Choose at least one event." in said
    answer = browse("owner").post(PAGE, {"name": "x", "address": "https://10.0.0.1/", "events": ["pushed"]})
    assert (answer.status_code, "that Berth may call" in answer.content.decode()) == (422, True)


def test_a_test_message_and_what_came_of_it(cast: Cast, browse: Browse, make: Make, receiver: Receiver) -> None:
    receiver.answers = whole(b"inside", status="503 Away")
    hook, client = make(), browse("owner")
    sent = client.post(f"{PAGE}{hook.pk}/ping/")
    row = WebhookDelivery.objects.get()
    assert sent.headers["Location"] == f"{PAGE}{hook.pk}/messages/{row.pk}/"
    assert "waiting" in client.get(sent.headers["Location"]).content.decode()
    tasks.deliver_webhooks()
    said = client.get(sent.headers["Location"]).content.decode()
    assert "It answered 503." in said
    assert str(row.message) in said
    part = client.get(sent.headers["Location"], headers={"HX-Request": "true"}).content.decode()
    assert "It answered 503." in part
    assert "<html" not in part
    receiver.answers = whole()
    client.post(f"{PAGE}{hook.pk}/messages/{row.pk}/again/")
    tasks.deliver_webhooks()
    listed = client.get(f"{PAGE}{hook.pk}/").content.decode()
    assert "answered 200" in listed
    assert "given up" in listed


def test_changed_paused_renewed_and_removed(cast: Cast, browse: Browse, make: Make, happens: Tell) -> None:
    hook, client = make(), browse("owner")
    one = f"{PAGE}{hook.pk}/"
    before = hook.secret.reveal()
    saved = client.post(one, {"name": "builds", "address": "", "events": ["deleted"], "secret": ""})
    assert saved.headers["Location"] == one
    hook.refresh_from_db()
    assert (hook.name, hook.events, hook.secret.reveal()) == ("builds", ["deleted"], before)
    moved = client.post(one, {"name": "builds", "address": "http://127.0.0.1:9999/", "events": ["deleted"]})
    hook.refresh_from_db()
    assert SHOWN.findall(moved.content.decode()) == [hook.secret.reveal()] != [before]
    client.post(f"{one}turn/", {"on": "0"})
    hook.refresh_from_db()
    assert hook.state == "paused"
    assert "Turn on again" in client.get(one).content.decode()
    client.post(f"{one}turn/", {"on": "1"})
    shown = client.post(f"{one}secret/", asked_on(client, one)).content.decode()
    hook.refresh_from_db()
    assert (hook.state, SHOWN.findall(shown)) == ("active", [hook.secret.reveal()])
    assert client.post(f"{one}remove/").headers["Location"] == PAGE
    assert not Webhook.objects.exists()


def asked_on(client: Client, page: str) -> dict[str, str]:
    """What the button for a new secret sends."""
    found = re.search(r'name="version" value="(\d+)"', client.get(page).content.decode())
    assert found is not None
    return {"version": found[1]}


def test_a_new_secret_is_made_once_however_often_its_answer_is_loaded(cast: Cast, browse: Browse, make: Make) -> None:
    hook, client = make(), browse("owner")
    one = f"{PAGE}{hook.pk}/"
    sent = asked_on(client, one)
    shown = SHOWN.findall(client.post(f"{one}secret/", sent).content.decode())
    hook.refresh_from_db()
    assert shown == [hook.secret.reveal()]
    again = client.post(f"{one}secret/", sent, follow=True)
    assert again.redirect_chain == [(one, 302)]
    said = again.content.decode()
    assert "The secret is shown once only" in said
    assert not SHOWN.findall(said)
    hook.refresh_from_db()
    assert shown == [hook.secret.reveal()]
    assert AuditEntry.objects.filter(action="webhook.new_secret", result="accepted").count() == 1
    for odd in ({}, {"version": "x"}, {"version": "9" * 30}):
        assert client.post(f"{one}secret/", odd).headers["Location"] == one
    hook.refresh_from_db()
    assert shown == [hook.secret.reveal()]
    by_hand = client.get(f"{one}secret/", follow=True)
    assert by_hand.redirect_chain == [(one, 302)]
    third = client.post(f"{one}secret/", asked_on(client, one))
    assert SHOWN.findall(third.content.decode()) not in ([], shown)


def test_the_answer_with_a_secret_can_be_asked_for_another_one(cast: Cast, browse: Browse, make: Make) -> None:
    hook, client = make(), browse("owner")
    one = f"{PAGE}{hook.pk}/"
    first = client.post(f"{one}secret/", asked_on(client, one)).content.decode()
    found = re.search(r'name="version" value="(\d+)"', first)
    assert found is not None
    second = client.post(f"{one}secret/", {"version": found[1]}).content.decode()
    assert len({*SHOWN.findall(first), *SHOWN.findall(second)}) == 2


def test_who_does_not_manage_the_project_sees_no_tab(cast: Cast, browse: Browse, make: Make) -> None:
    hook, client = make(), browse("developer")
    assert PAGE not in client.get("/t/acme/p/shop/settings/").content.decode()
    assert client.get(PAGE).status_code == 403
    assert client.post(f"{PAGE}{hook.pk}/remove/").status_code == 403
    assert browse("outsider").get(f"{PAGE}{hook.pk}/").status_code == 404
