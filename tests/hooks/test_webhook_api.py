"""Webhooks over HTTP: made, changed, tested, sent again; secrets shown once, addresses never again."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from audit.models import AuditEntry
from images import tasks
from images.hooks import services
from images.hooks.models import Webhook, WebhookDelivery
from tests.conftest import Cast
from tests.hooks.conftest import SECRET, Make, Tell
from tests.hooks.receiver import Receiver

Api = Callable[[str], APIClient]
HOOKS = "/api/v1/tenants/acme/projects/shop/webhooks"


def body(address: str, **more: Any) -> dict[str, Any]:
    return {"name": "ci", "address": address, "events": ["pushed"]} | more


def test_made_and_shown_once(api: Api, address: str) -> None:
    client = api("owner")
    answer = client.post(HOOKS, body(address), format="json")
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made["secret"].startswith("whsec_")
    assert answer.headers["Location"] == f"{HOOKS}/{made['id']}"
    assert made["host"] == address.partition("/hooks")[0]
    for path in (HOOKS, f"{HOOKS}/{made['id']}"):
        said = client.get(path).content.decode()
        assert made["name"] in said
        assert "a-key-of-the-receiver" not in said
        assert made["secret"] not in said
    entry = AuditEntry.objects.get(action="webhook.make", result="accepted")
    assert entry.after == {"name": "ci", "host": made["host"], "events": ["pushed"], "state": "active"}
    assert "a-key-of-the-receiver" not in str(entry.__dict__)
    row = Webhook.objects.values("address", "secret").get()
    assert (str(row["address"]), str(row["secret"])) == ("***", "***")


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"address": "https://10.0.0.1/"}, "address", "address_refused"),
        ({"address": "https://[::ffff:10.0.0.1]/"}, "address", "address_refused"),
        ({"address": "http://169.254.169.254/latest"}, "address", "address_refused"),
        ({"address": "https://ok@10.0.0.1/"}, "address", "address_refused"),
        ({"address": "file:///etc/passwd"}, "address", "address_refused"),
        ({"address": "gopher://127.0.0.1:25/"}, "address", "address_refused"),
        ({"address": "http://127.0.0.1:22/"}, "address", "address_refused"),
        ({"address": "http://0177.1/"}, "address", "address_refused"),
        ({"address": "https://x/" + "a" * 1000}, "address", "max_length"),
        ({"events": []}, "events", "min_length"),
        ({"events": ["nothing"]}, "events.0", "invalid_choice"),
        ({"secret": "short"}, "secret", "bad_secret"),
        ({"secret": "whsec_" + "é" * 30}, "secret", "bad_secret"),
        ({"name": ""}, "name", "blank"),
        ({"host": "x"}, "host", "unknown_field"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], field: str, code: str, api: Api, address: str) -> None:
    answer = api("owner").post(HOOKS, body(address) | changes, format="json")
    assert answer.status_code == 422, answer.content
    assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [(field, code)]
    assert not Webhook.objects.exists()


def test_another_address_has_another_secret(api: Api, make: Make, address: str) -> None:
    hook, client = make(), api("owner")
    moved = address.replace("/hooks", "/elsewhere")
    answer = client.patch(f"{HOOKS}/{hook.pk}", {"address": moved}, format="json").json()
    assert answer["secret"] not in ("", SECRET)
    hook.refresh_from_db()
    assert (hook.secret.reveal(), hook.address.reveal()) == (answer["secret"], moved)
    kept = client.patch(f"{HOOKS}/{hook.pk}", {"name": "builds"}, format="json").json()
    assert (kept["name"], "secret" in kept) == ("builds", False)
    given = client.patch(f"{HOOKS}/{hook.pk}", {"address": address, "secret": SECRET}, format="json").json()
    assert "secret" not in given
    hook.refresh_from_db()
    assert hook.secret.reveal() == SECRET
    renewed = client.post(f"{HOOKS}/{hook.pk}/secret").json()["secret"]
    hook.refresh_from_db()
    assert hook.secret.reveal() == renewed != SECRET


def test_somebody_elses_change_is_not_overwritten(api: Api, make: Make) -> None:
    hook, client = make(), api("owner")
    tag = client.get(f"{HOOKS}/{hook.pk}").headers["ETag"]
    assert client.patch(f"{HOOKS}/{hook.pk}", {"name": "a"}, format="json", HTTP_IF_MATCH=tag).status_code == 200
    assert client.patch(f"{HOOKS}/{hook.pk}", {"name": "b"}, format="json", HTTP_IF_MATCH=tag).status_code == 412


def test_tested_also_when_paused(api: Api, make: Make, receiver: Receiver, happens: Tell) -> None:
    hook, client = make(), api("owner")
    paused = client.patch(f"{HOOKS}/{hook.pk}", {"active": False}, format="json").json()
    assert paused["state"] == "paused"
    happens()
    assert not WebhookDelivery.objects.exists()
    answer = client.post(f"{HOOKS}/{hook.pk}/ping")
    assert (answer.status_code, answer.json()["state"]) == (201, "waiting")
    assert client.post(f"{HOOKS}/{hook.pk}/ping").json()["code"] == "messages_wait"
    tasks.deliver_webhooks()
    done = client.get(answer.headers["Location"]).json()
    assert (done["event"], done["state"], done["status"], done["asked_by"]) == ("ping", "delivered", 200, "owner")
    assert [one["status"] for one in done["tries"]] == [200]
    assert done["body"].encode() == receiver.came[0].body


def test_sent_again_under_its_own_id(api: Api, make: Make, receiver: Receiver, happens: Tell) -> None:
    hook, client = make(), api("owner")
    happens()
    tasks.deliver_webhooks()
    first = client.get(f"{HOOKS}/{hook.pk}/deliveries").json()["results"][0]
    again = client.post(f"{HOOKS}/{hook.pk}/deliveries/{first['id']}/again")
    assert again.status_code == 201
    assert (again.json()["message"], again.json()["asked_by"]) == (first["message"], "owner")
    assert again.json()["id"] != first["id"]
    tasks.deliver_webhooks()
    one, two = receiver.came
    assert (one.headers["webhook-id"], one.body) == (two.headers["webhook-id"], two.body)
    assert len(client.get(f"{HOOKS}/{hook.pk}/deliveries?state=delivered").json()["results"]) == 2
    assert client.get(f"{HOOKS}/{hook.pk}/deliveries?state=failed").json()["results"] == []


def test_one_that_waits_is_sent_now(api: Api, make: Make, happens: Tell) -> None:
    hook = make()
    happens()
    row = WebhookDelivery.objects.get()
    again = api("owner").post(f"{HOOKS}/{hook.pk}/deliveries/{row.pk}/again").json()
    assert again["id"] == str(row.pk)
    assert WebhookDelivery.objects.count() == 1


def test_removed_with_its_messages(api: Api, make: Make, happens: Tell) -> None:
    hook = make()
    happens()
    assert api("owner").delete(f"{HOOKS}/{hook.pk}").status_code == 204
    assert not WebhookDelivery.objects.exists()


def test_a_project_has_so_many(api: Api, make: Make, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST", 1)
    make()
    answer = api("owner").post(HOOKS, body(address, name="more"), format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")
    monkeypatch.setattr(services, "MOST", 2)
    assert api("owner").post(HOOKS, body(address), format="json").json()["code"] == "name_taken"


@pytest.mark.parametrize("who", ["developer", "guest"])
def test_only_who_manages_the_project(who: str, api: Api, make: Make, address: str, cast: Cast) -> None:
    hook, client = make(), api(who)
    assert client.get(HOOKS).status_code == 403
    assert client.get(f"{HOOKS}/{hook.pk}/deliveries").status_code == 403
    assert client.post(HOOKS, body(address, name="x"), format="json").status_code == 403
    assert client.post(f"{HOOKS}/{uuid.UUID(int=7)}/ping").status_code == 403
    denied = AuditEntry.objects.filter(result="denied", actor_id=getattr(cast, who).pk)
    assert {entry.action for entry in denied} == {"webhook.make", "webhook.ping"}
