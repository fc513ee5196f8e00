"""The gate before the real registry: tags that never move, room, what is passed on and what is not."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from images.keeping import room
from images.keeping.models import ImagePart, PushTurn, StoredBlob
from images.keeping.services import protect_tags
from images.models import Artifact
from images.registry import client, taking
from launcher.processes import Mark, until
from launcher.registry import Berth
from tenants.quota.models import Quota
from tenants.quota.services import limit_project
from tests.conftest import PASSWORD, Cast
from tests.images.house import LIST, House, Image, digest_of, house, image
from tests.images.stage import Stage, stage

__all__ = ["stage"]
pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]

WEB = "acme/shop/web"
SECONDS = 30.0
NOWHERE = Berth("http://127.0.0.1:9/registry/token", "http://127.0.0.1:9/registry/events")


@pytest.fixture
def place(cast: Cast, tmp_path: Path, settings: Any) -> Iterator[House]:
    with house(tmp_path, settings) as made:
        yield made


def noted(cast: Cast, path: str, tag: str, one: Image) -> None:
    """As a worker does once the registry has told of the push."""
    taking.note(cast.shop, path, tag=tag, digest=one.digest, who=cast.actor("developer"))


@pytest.mark.parametrize("killed", ["gate_mark_file", "mark_file"])
def test_what_is_killed_is_there_again(place: House, cast: Cast, killed: str) -> None:
    one = image(b"one")
    assert place.push(WEB, "1", one).status == 201
    registry = place.registry
    before = Mark.load(getattr(registry, killed))
    assert before is not None
    before.kill()
    assert until(lambda: Mark.load(getattr(registry, killed)) not in (None, before), seconds=SECONDS)
    assert until(lambda: answers(place, one.digest), seconds=SECONDS)
    assert registry.running()
    assert place.whole(WEB, "1")
    assert place.push(WEB, "2", image(b"two")).status == 201
    left = [Mark.load(file) for file in registry.state.run.glob("registry*.mark")]
    assert len(left) == 4, "both, each with its keeper"
    assert registry.stop()
    assert not any(mark and mark.alive() for mark in left)
    assert not registry.running()


def answers(place: House, digest: str) -> bool:
    """Whether the gate is there, and the registry behind it."""
    try:
        return place.means(WEB, "1") == digest
    except OSError:
        return False


def test_a_tag_that_never_moves_is_put_once(place: House, cast: Cast) -> None:
    protect_tags(cast.actor("owner"), cast.shop, repositories="*", tags="v*")
    first, second = image(b"one"), image(b"two")
    assert place.push(WEB, "v1", first).status == 201
    assert place.push(WEB, "v1", first).status == 201, "the same again moves nothing"
    refused = place.push(WEB, "v1", second)
    assert refused.status == 403
    assert "The tag v1 never moves" in refused.said
    assert "Push under a new tag" in refused.said
    assert place.push(WEB, "v2", second).status == 201
    assert place.push(WEB, "latest", first).status == place.push(WEB, "latest", second).status == 201
    assert place.means(WEB, "v1") == first.digest
    assert place.means(WEB, "latest") == second.digest


def test_a_manifest_in_several_pieces_is_looked_at_all_the_same(place: House, cast: Cast) -> None:
    protect_tags(cast.actor("owner"), cast.shop, repositories="*", tags="v*")
    first, second = image(b"one"), image(b"two")
    for one, status in ((first, 201), (second, 403)):
        for blob in one.blobs:
            assert place.give(WEB, blob).status == 201
        pieces: Any = [one.manifest[:100], one.manifest[100:101], one.manifest[101:]]
        assert place.ask("PUT", f"/v2/{WEB}/manifests/v1", body=pieces, Content_Type=one.kind).status == status
    assert place.means(WEB, "v1") == first.digest


def test_two_pushes_to_one_tag_at_once(place: House, cast: Cast) -> None:
    protect_tags(cast.actor("owner"), cast.shop, repositories="web", tags="*")
    images = [image(f"number {number}".encode()) for number in range(6)]
    for one in images:
        for blob in one.blobs:
            assert place.give(WEB, blob).status == 201
    for tag in ("a", "b", "c"):
        said: dict[str, int] = {}
        ready = threading.Barrier(len(images))

        def push(one: Image, tag: str = tag, said: dict[str, int] = said, ready: threading.Barrier = ready) -> None:
            ready.wait()
            said[one.digest] = place.put(WEB, tag, one).status

        threads = [threading.Thread(target=push, args=(one,)) for one in images]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(said.values()) == [201, 403, 403, 403, 403, 403]
        (winner,) = (digest for digest, status in said.items() if status == 201)
        assert place.means(WEB, tag) == winner


def test_a_push_that_came_to_nothing_holds_the_tag_no_longer_than_its_turn(place: House, cast: Cast) -> None:
    protect_tags(cast.actor("owner"), cast.shop, repositories="*", tags="*")
    lost, other = image(b"lost"), image(b"other")
    assert place.put(WEB, "1", lost).status == 400, "its layers are not there"
    assert place.push(WEB, "1", other).status == 403
    PushTurn.objects.update(until="2020-01-01T00:00:00Z")
    assert place.push(WEB, "1", other).status == 201


def test_what_such_a_tag_stands_for_is_not_deleted(place: House, cast: Cast) -> None:
    protect_tags(cast.actor("owner"), cast.shop, repositories="*", tags="v*")
    kept, other = image(b"kept"), image(b"other")
    for tag, one in (("v1", kept), ("latest", other)):
        assert place.push(WEB, tag, one).status == 201
        noted(cast, WEB, tag, one)
    assert place.ask("DELETE", f"/v2/{WEB}/manifests/{kept.digest}").status == 403
    assert place.ask("DELETE", f"/v2/{WEB}/blobs/{digest_of(kept.blobs[1])}").status == 403
    assert place.whole(WEB, "v1")
    assert place.ask("DELETE", f"/v2/{WEB}/manifests/{other.digest}").status == 202


def test_no_more_is_taken_than_there_is_room_for(place: House, cast: Cast) -> None:
    limit_project(cast.actor("owner"), cast.shop, limits={"images": 300_000})
    first, second = image(b"a" * 200_000), image(b"b" * 200_000)
    assert place.push(WEB, "1", first).status == 201
    assert place.push(WEB, "again", first).status == 201
    assert place.push("acme/shop/other", "1", first).status == 201, "a layer counts once in a project"
    used = Quota.objects.get(project=cast.shop, resource="images").used
    assert used == room.stored(cast.shop.pk) == sum(map(len, (*first.blobs, first.manifest)))
    refused = place.push(WEB, "2", second)
    assert refused.status == 403
    assert "Images in the registry" in refused.said
    assert not place.means(WEB, "2")
    assert room.stored(cast.shop.pk) == used
    limit_project(cast.actor("owner"), cast.shop, limits={"images": used})
    full = place.give(WEB, b"anything")
    assert full.status == 403
    assert "has no room for more images" in full.said, "before anything is sent"


def test_a_manifest_that_lies_about_sizes_is_counted_as_it_lies_there(place: House, cast: Cast) -> None:
    honest = image(b"x" * 100_000)
    size = f'"size": {len(honest.blobs[1])}'.encode()
    liar = Image(honest.manifest.replace(size, b'"size": 1'), honest.blobs)
    assert liar.manifest != honest.manifest
    assert place.push(WEB, "1", liar).status == 201
    assert StoredBlob.objects.get(digest=digest_of(honest.blobs[1])).size == len(honest.blobs[1])


def test_deleting_makes_room_at_once(place: House, cast: Cast) -> None:
    one, other = image(b"shared", b"own" * 1000), image(b"shared")
    for tag, each in (("1", one), ("2", other)):
        assert place.push(WEB, tag, each).status == 201
        noted(cast, WEB, tag, each)
    before = room.stored(cast.shop.pk)
    assert client.delete(WEB, one.digest)
    taking.forget(WEB, digest=one.digest, who=cast.actor("owner"))
    left = room.stored(cast.shop.pk)
    assert left < before - 3000
    assert left == sum(map(len, (*other.blobs, other.manifest)))
    assert Quota.objects.get(project=cast.shop, resource="images").used == left


def test_the_clients_people_use_say_why(place: House, cast: Cast) -> None:
    protect_tags(cast.actor("owner"), cast.shop, repositories="*", tags="v*")
    for tag, one in (("a", image(b"a")), ("b", image(b"b"))):
        assert place.push(WEB, tag, one).status == 201
    plain = ("copy", "--src-tls-verify=false", "--dest-tls-verify=false")
    creds = ("--src-creds", f"developer:{PASSWORD}", "--dest-creds", f"developer:{PASSWORD}")
    where = f"docker://{place.address}/{WEB}"
    put = place.skopeo(*plain, *creds, f"{where}:a", f"{where}:v1")
    assert put.returncode == 0, put.stderr
    moved = place.skopeo(*plain, *creds, f"{where}:b", f"{where}:v1")
    assert moved.returncode != 0
    assert "The tag v1 never moves" in moved.stderr


def test_the_engines_own_client_says_why(stage: Stage, cast: Cast) -> None:
    protect_tags(cast.actor("owner"), cast.shop, repositories="*", tags="v*")
    clients = stage.clients
    assert clients.login("developer", PASSWORD).returncode == 0
    assert clients.put(WEB, "v1").returncode == 0
    moved = clients.put(WEB, "v1", of="berth/hello:2")
    assert moved.returncode != 0
    assert "denied: The tag v1 never moves" in moved.stdout + moved.stderr
    limit_project(cast.actor("owner"), cast.shop, limits={"images": 0})
    full = clients.put(WEB, "other", of="berth/hello:2")
    assert full.returncode != 0
    assert "denied:" in full.stdout + full.stderr
    assert "quota page" in full.stdout + full.stderr
    assert clients.fetch(WEB, "v1").returncode == 0


def test_who_may_nothing_hears_of_no_rule(place: House, cast: Cast) -> None:
    protect_tags(cast.actor("owner"), cast.shop, repositories="*", tags="*")
    one, other = image(b"one"), image(b"other")
    assert place.push(WEB, "1", one).status == 201
    path = f"/v2/{WEB}/manifests/1"
    nobody = place.raw("PUT", path, body=other.manifest)
    puller = place.ask("PUT", path, body=other.manifest, actions="pull")
    forged = place.raw("PUT", path, body=other.manifest, headers={"Authorization": "Bearer e30.e30.x"})
    for answer in (nobody, puller, forged):
        assert answer.status == 401
        assert b"never moves" not in answer.body
        assert "/registry/token" in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "target",
    [
        "/v2/acme/shop/web/%6danifests/v1",
        "/v2/acme/shop/web/x/../manifests/v1",
        "/v2//acme/shop/web/manifests/v1",
        "/v2/acme/shop/./web/manifests/v1",
        "/v2/acme/shop/web/manifests/v1/",
        "/v2/acme/shop/web/manifests/v1;x",
        "/V2/acme/shop/web/manifests/v1",
        "//v2/acme/shop/web/manifests/v1",
        "/v2/acme/shop/web/manifests/v1%2f",
    ],
)
def test_what_could_be_read_in_two_ways_is_not_passed_on(place: House, cast: Cast, target: str) -> None:
    assert place.raw("PUT", target, body=image().manifest).status in (400, 404)


def test_who_tries_tls_first_is_answered_at_once(place: House, cast: Cast) -> None:
    host, _colon, port = place.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as line, pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(line, server_hostname=host)


def test_where_berth_does_not_answer_nothing_is_pushed_and_pulling_goes_on(place: House, cast: Cast) -> None:
    one = image(b"one")
    assert place.push(WEB, "1", one).status == 201
    place.registry.start("127.0.0.1", NOWHERE)
    assert place.whole(WEB, "1")
    refused = place.give(WEB, b"more")
    assert refused.status == 503
    assert "Berth does not answer" in refused.said
    assert place.put(WEB, "2", one).status == 503
    assert not place.means(WEB, "2")


def test_what_consists_of_several_images_is_known(place: House, cast: Cast) -> None:
    one = image(b"one")
    assert place.push(WEB, one.digest, one).status == 201
    listed = (
        f'{{"schemaVersion": 2, "mediaType": "{LIST}", "manifests": [{{"mediaType": '
        f'"application/vnd.docker.distribution.manifest.v2+json", "digest": "{one.digest}", '
        f'"size": {len(one.manifest)}, "platform": {{"architecture": "amd64", "os": "linux"}}}}]}}'
    )
    whole = Image(listed.encode(), (), LIST)
    assert place.push(WEB, "all", whole).status == 201
    for tag, each in (("", one), ("all", whole)):
        noted(cast, WEB, tag, each)
    assert Artifact.objects.filter(repository__path=WEB).count() == 2
    assert ImagePart.objects.filter(whole=whole.digest).values_list("digest", flat=True).get() == one.digest
