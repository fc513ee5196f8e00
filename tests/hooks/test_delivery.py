"""Messages on their way: signed, sent until they arrive, once at a time, and never to where nobody is to be led."""

import hashlib
import hmac
import json
import socket
import time
from base64 import b64decode, b64encode
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F

from apps.lifecycle.purging import purge_deleted
from core.clock import from_now
from core.errors import Invalid
from images import tasks
from images.happening import Happened, tell
from images.hooks import keeping, noting, sending
from images.hooks.models import Webhook, WebhookDelivery
from images.models import Repository
from tenants.lifecycle import KEPT
from tenants.models import Notice, Project, Tenant
from tests.apps.killed import Killed
from tests.conftest import Cast
from tests.hooks.conftest import DIGEST, SECRET, Make, Tell
from tests.hooks.receiver import Receiver
from tests.outbound.speaking import whole

State = WebhookDelivery.State


def one() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


def due(**columns: Any) -> None:
    """As if the time had come for everything that waits."""
    WebhookDelivery.objects.filter(state=State.WAITING).update(next_at=from_now(timedelta(seconds=-1)))
    Webhook.objects.update(not_before=None, **columns)


def test_a_push_arrives_signed(make: Make, happens: Tell, receiver: Receiver) -> None:
    hook = make()
    happens(detail={"size": 5})
    assert one().state == State.WAITING
    tasks.deliver_webhooks()
    came = receiver.came[0]
    assert came.line == "POST /hooks?key=a-key-of-the-receiver HTTP/1.1"
    assert came.headers["content-type"].startswith("application/cloudevents+json")
    # as the guide says that a receiver does it
    signed = f"{came.headers['webhook-id']}.{came.headers['webhook-timestamp']}.".encode() + came.body
    expected = hmac.new(b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert came.headers["webhook-signature"] == "v1," + b64encode(expected).decode()
    assert abs(time.time() - int(came.headers["webhook-timestamp"])) < 600
    event = json.loads(came.body)
    assert (event["specversion"], event["type"], event["id"]) == ("1.0", "image.pushed", came.headers["webhook-id"])
    assert event["data"] == {
        "tenant": "acme", "project": "shop", "repository": "reg/acme/shop/web", "digest": DIGEST, "tag": "1",
        "by": "developer", "detail": {"size": 5},
    }  # fmt: skip
    row = one()
    assert (row.state, row.status, row.attempts, row.body.encode()) == (State.DELIVERED, 200, 1, came.body)
    assert row.duration_ms is not None
    hook.refresh_from_db()
    assert (hook.lease_until, hook.failures) == (None, 0)


def test_only_what_was_chosen_of_the_own_project(make: Make, happens: Tell, cast: Cast) -> None:
    make(events=("deleted",))
    happens("pushed")
    happens("deleted", repository=Repository.objects.create(name="x", tenant=cast.globex, project=cast.store, path="g"))
    happens("deleted", repository=Repository.objects.create(name="shared"))
    assert not WebhookDelivery.objects.exists()
    happens("deleted")
    assert one().event == "deleted"


def test_it_is_kept_or_rolled_back_with_what_happened(make: Make, web: Repository, cast: Cast) -> None:
    make()

    def push(*, fails: bool = False) -> None:
        with transaction.atomic():
            tell(Happened("pushed", web, DIGEST, cast.actor("developer")))
            if fails:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        push(fails=True)
    assert not WebhookDelivery.objects.exists()
    push()  # no worker, no broker: the row is there all the same
    assert one().state == State.WAITING


@pytest.mark.parametrize("status", ["500 No", "404 Not Found", "100 Continue"])
def test_what_fails_is_sent_again_with_growing_pauses(
    status: str, make: Make, happens: Tell, receiver: Receiver
) -> None:
    receiver.answers = whole(b"a secret of the inside", status=status)
    make()
    happens()
    pauses = []
    for attempt in range(1, len(sending.PAUSES) + 2):
        tasks.deliver_webhooks()
        row = WebhookDelivery.objects.annotate(pause=F("next_at") - F("created_at")).get()
        assert row.attempts == attempt
        if row.state == State.WAITING:
            pauses.append(row.pause)
        due()
    assert pauses == sorted(pauses)
    row = one()
    assert (row.state, len(row.tries), len({came.headers["webhook-id"] for came in receiver.came})) == (
        State.FAILED, len(sending.PAUSES) + 1, 1,
    )  # fmt: skip
    assert sum(sending.PAUSES, timedelta()) > timedelta(hours=20)
    kept = json.dumps(list(WebhookDelivery.objects.values("body", "tries", "problem")))
    assert "secret of the inside" not in kept


def test_one_that_failed_rests_and_others_do_not_wait(make: Make, happens: Tell, receiver: Receiver) -> None:
    receiver.answers = whole(status="500 No")
    make()
    happens()
    happens()
    tasks.deliver_webhooks()
    assert len(receiver.came) == 1, "the second is not tried at an address that just failed"
    assert Webhook.objects.filter(not_before__gt=from_now(timedelta(seconds=2))).exists()
    receiver.answers = whole()
    make("other")
    happens()
    tasks.deliver_webhooks()
    assert WebhookDelivery.objects.get(webhook__name="other").state == State.DELIVERED


def test_a_redirect_is_not_followed(make: Make, happens: Tell, receiver: Receiver) -> None:
    receiver.answers = whole(status="307 Elsewhere", headers="Location: /inside\r\n")
    make()
    happens()
    tasks.deliver_webhooks()
    assert (one().problem, one().status) == ("redirect", 307)
    assert [came.line.split()[1].partition("?")[0] for came in receiver.came] == ["/hooks"]


def test_a_slow_drip_ends_in_time(
    make: Make, happens: Tell, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.5)

    def drips(line: socket.socket, _head: bytes) -> None:
        try:
            while True:
                line.sendall(b"H")
                time.sleep(0.05)
        except OSError:
            return

    receiver.answers = drips
    make()
    happens()
    tasks.deliver_webhooks()
    assert (one().problem, one().status, one().state) == ("no_answer", None, State.WAITING)


def test_an_endless_answer_is_not_read(make: Make, happens: Tell, receiver: Receiver) -> None:
    """The status is all that is wanted; the line is cut."""
    cut: list[bool] = []

    def floods(line: socket.socket, _head: bytes) -> None:
        try:
            line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                line.sendall(b"x" * 65536)
        except OSError:
            cut.append(True)

    receiver.answers = floods
    make()
    happens()
    tasks.deliver_webhooks()
    assert one().state == State.DELIVERED
    end = time.monotonic() + 10
    while not cut and time.monotonic() < end:
        time.sleep(0.01)
    assert cut


def test_410_ends_it_and_its_owners_are_told(make: Make, happens: Tell, receiver: Receiver, cast: Cast) -> None:
    receiver.answers = whole(status="410 Gone")
    hook = make()
    happens()
    happens()
    tasks.deliver_webhooks()
    hook.refresh_from_db()
    assert hook.state == Webhook.State.GONE
    assert Notice.objects.get(user=cast.owner, kind="webhook.ended").params["why"] == "gone"
    due()
    tasks.deliver_webhooks()
    happens()
    assert len(receiver.came) == 1
    assert WebhookDelivery.objects.filter(state=State.WAITING).count() == 1, "what happens now is not kept"


def test_failing_for_long_pauses_it(make: Make, happens: Tell, receiver: Receiver, cast: Cast) -> None:
    receiver.answers = whole(status="500 No")
    hook = make()
    happens()
    tasks.deliver_webhooks()
    hook.refresh_from_db()
    assert hook.state == Webhook.State.ACTIVE
    due(failing_since=from_now(-sending.LONG - timedelta(minutes=1)))
    tasks.deliver_webhooks()
    hook.refresh_from_db()
    assert hook.state == Webhook.State.FAILING
    notice = Notice.objects.get(user=cast.owner, kind="webhook.ended")
    assert (notice.params["why"], notice.params["webhook"]) == ("failing", "ci")


def test_killed_between_sending_and_writing_it_down(
    make: Make, happens: Tell, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes twice, with the same id; while the dead worker's lease lasts nobody else sends."""
    make()
    happens()

    def dies(*_given: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(sending, "_marked", dies)
        with pytest.raises(Killed):
            tasks.deliver_webhooks()
    assert (len(receiver.came), one().state) == (1, State.WAITING)
    tasks.deliver_webhooks()
    assert len(receiver.came) == 1
    due(lease_until=from_now(timedelta(seconds=-1)))
    tasks.deliver_webhooks()
    first, second = receiver.came
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert (one().state, one().attempts) == (State.DELIVERED, 2)


def test_two_workers_at_once_send_one_message_once(make: Make, happens: Tell, receiver: Receiver) -> None:
    make()
    happens()
    first, second = sending._claim(), sending._claim()
    assert first is not None
    assert second is None
    Webhook.objects.update(lease_until=from_now(timedelta(seconds=-1)))
    later = sending._claim()
    assert later is not None
    row = sending._begun(later)
    assert row is not None
    assert sending._begun(first) is None, "whoever lost the lease begins nothing"
    assert sending._marked(first, row, sending.Outcome(500, "status", 1)) is False
    assert sending._marked(later, row, sending.send(later, row)) is True
    assert (one().state, one().status) == (State.DELIVERED, 200)


def test_the_workers_have_other_things_to_do(make: Make, happens: Tell) -> None:
    for name in ("a", "b", "c"):
        make(name)
    happens()
    assert [sending._claim() is not None for _turn in range(3)] == [True, True, False]


def test_a_name_that_comes_to_point_inside(
    make: Make, happens: Tell, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """Judged again with each message, by what the name means at that moment."""
    means = ["203.0.114.9"]

    def looked_up(_host: str, *_more: Any, **_named: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (means[0], 0))]

    monkeypatch.setattr("core.foreign.socket.getaddrinfo", looked_up)
    settings.OUTBOUND = settings.OUTBOUND | {"networks": []}
    hook = make(at="https://ci.example.org/hooks")
    for means[0] in ("10.0.0.7", "127.0.0.1", "169.254.169.254"):
        happens()
        due()
        tasks.deliver_webhooks()
        row = WebhookDelivery.objects.order_by("-pk")[0]
        assert (row.problem, row.status) == ("refused", None)
        WebhookDelivery.objects.all().delete()
    hook.refresh_from_db()
    assert hook.failures == 3
    with pytest.raises(Invalid):
        make("other", at="https://ci.example.org/hooks")


def test_nothing_is_sent_for_what_is_closed(make: Make, happens: Tell, receiver: Receiver, cast: Cast) -> None:
    make()
    happens()
    cast.acme.state = Tenant.DISABLED
    cast.acme.save(update_fields=["state"])
    tasks.deliver_webhooks()
    assert receiver.came == []


def test_it_ends_with_its_project(make: Make, happens: Tell, receiver: Receiver, cast: Cast) -> None:
    make()
    happens()
    Project.objects.filter(pk=cast.shop.pk).update(deleted_at=from_now(-KEPT - timedelta(hours=1)))
    tasks.deliver_webhooks()
    assert receiver.came == []
    assert purge_deleted() == 1
    assert not Webhook.objects.exists()


def test_no_more_wait_than_there_is_room_for(make: Make, happens: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noting, "MOST_WAITING", 2)
    hook = make()
    for _time in range(3):
        happens()
    hook.refresh_from_db()
    assert (WebhookDelivery.objects.count(), hook.missed) == (2, 1)


def test_a_long_detail_is_left_out(make: Make, happens: Tell) -> None:
    make()
    happens(detail={"x": "y" * 70_000})
    assert json.loads(one().body)["data"]["detail"] == {}


def test_what_was_sent_is_forgotten_in_time(make: Make, happens: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    make()
    for _time in range(4):
        happens()
    tasks.deliver_webhooks()
    newest = WebhookDelivery.objects.order_by("-pk").first()
    assert newest is not None
    happens()
    WebhookDelivery.objects.filter(pk=WebhookDelivery.objects.order_by("pk")[0].pk).update(
        ended_at=from_now(-keeping.KEPT - timedelta(minutes=1))
    )
    monkeypatch.setattr(keeping, "MOST_KEPT", 1)
    tasks.forget_deliveries()
    kept = WebhookDelivery.objects.exclude(state=State.WAITING)
    assert [row.pk for row in kept] == [newest.pk]
    assert WebhookDelivery.objects.filter(state=State.WAITING).count() == 1
