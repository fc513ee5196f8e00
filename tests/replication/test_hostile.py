"""Abuse 33: a registry elsewhere that wants our memory, our time, our passwords, or to see what is inside."""

import gzip
import json
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.secrets import Secret
from images.replication import foreign, services, slices, talking
from images.replication.contents import contents
from images.replication.foreign import Foreign
from images.replication.models import ImageCopy, RemoteRegistry
from images.replication.problems import RemoteAway, RemoteProblem
from images.replication.talking import Manifest, Registry
from tests.conftest import Cast
from tests.replication.depots import CONFIG, LAYER, MANIFEST, digest_of
from tests.replication.hostile import Asked, Hostile, hostile

Worked = Callable[..., Any]
INSIDE = "http://169.254.169.254"
PAIR = {"user": "mirror", "secret": Secret("sesame")}
CODE = "code"


@pytest.fixture
def bad() -> Iterator[Hostile]:
    with hostile() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Hostile]:
    """Another host, which must see no password."""
    with hostile() as server:
        yield server


def there(bad: Hostile, **more: Any) -> Registry:
    return Registry(Foreign(bad.url, **more))


def problem(act: Callable[[], Any]) -> str:
    with pytest.raises(RemoteProblem) as found:
        act()
    return str(found.value.code)


def bounded(act: Callable[[], Any], *, most: int = 24 * 2**20) -> None:
    """It is not reached, and not much was held of what it said."""
    tracemalloc.start()
    try:
        with pytest.raises(RemoteAway):
            act()
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


def test_a_manifest_without_end(bad: Hostile) -> None:
    bad.says = lambda asked: asked.without_end(b"x" * 65536)
    bounded(lambda: there(bad).manifest("team/web", "1"))


def test_a_manifest_that_says_how_large_it_is(bad: Hostile) -> None:
    bad.says = lambda asked: asked.without_end(b"x" * 65536, Content_Length=str(10 * 2**30))
    bounded(lambda: there(bad).manifest("team/web", "1"))


def test_an_answer_that_is_packed_and_large_within(bad: Hostile) -> None:
    bomb = gzip.compress(b"0" * 2**26)
    bad.says = lambda asked: asked.answer(200, bomb, Content_Encoding="gzip")
    bounded(lambda: there(bad).manifest("team/web", "1"))


def test_an_answer_that_drips(bad: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "SECONDS", 0.5)
    bad.says = lambda asked: asked.drip()
    bounded(lambda: there(bad).manifest("team/web", "1"))


def test_a_million_tags_at_once(bad: Hostile) -> None:
    body = json.dumps({"name": "x", "tags": [f"tag-{number}" for number in range(10**6)]}).encode()
    bad.says = lambda asked: asked.answer(200, body)
    bounded(lambda: list(there(bad).tags("team/web")))


def test_pages_of_tags_that_never_end(bad: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talking, "MOST_NAMES", 3000)

    def says(asked: Asked) -> None:
        link = f'</v2/team/web/tags/list?n=1000&last={len(bad.heads)}>; rel="next"'
        asked.document({"tags": [f"t{len(bad.heads)}-{number}" for number in range(1000)]}, Link=link)

    bad.says = says
    assert problem(lambda: list(there(bad).tags("team/web"))) == "remote_list"
    assert len(bad.heads) == 4


def test_empty_pages_that_never_end(bad: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talking, "MOST_PAGES", 5)
    bad.says = lambda asked: asked.document({"tags": []}, Link=f'</v2/x?{len(bad.heads)}>; rel="next"')
    assert problem(lambda: list(there(bad).tags("team/web"))) == "remote_list"
    assert len(bad.heads) == 5


def test_pages_that_lead_in_circles(bad: Hostile) -> None:
    link = '</v2/team/web/tags/list?n=1000>; rel="next"'
    bad.says = lambda asked: asked.document({"tags": ["1"]}, Link=link)
    assert problem(lambda: list(there(bad).tags("team/web"))) == "remote_list"


@pytest.mark.parametrize("where", [INSIDE, "//169.254.169.254", "http://10.0.0.1:2375"])
def test_a_next_page_elsewhere_is_asked_of_the_registry_itself(bad: Hostile, other: Hostile, where: str) -> None:
    def says(asked: Asked) -> None:
        first = len(bad.heads) == 1
        asked.document({"tags": ["1" if first else "2"]}, **({"Link": f'<{where}/v2/b>; rel="next"'} if first else {}))

    bad.says = says
    assert list(there(bad, **PAIR).tags("team/web")) == ["1", "2"]
    assert [path for _method, path, _shown in bad.heads][1] == "/v2/b"


def test_a_next_page_that_is_no_address_of_a_registry(bad: Hostile) -> None:
    bad.says = lambda asked: asked.document({"tags": ["1"]}, Link='</etc/passwd>; rel="next"')
    assert problem(lambda: list(there(bad).tags("team/web"))) == "remote_odd"


def asks_to_sign_in(realm: str, service: str = "x") -> Callable[[Asked], None]:
    return lambda asked: asked.answer(401, WWW_Authenticate=f'Bearer realm="{realm}",service="{service}"')


def test_a_realm_inside(bad: Hostile) -> None:
    bad.says = asks_to_sign_in(f"{INSIDE}/token")
    assert problem(lambda: there(bad).manifest("team/web", "1")) == "remote_not_allowed"
    assert problem(lambda: there(bad, **PAIR).manifest("team/web", "1")) == "remote_signs_in_elsewhere"


@pytest.mark.parametrize("realm", ["", "token", "file:///etc/passwd", "gopher://127.0.0.1/", "http://[::1", "//x"])
def test_a_realm_that_is_no_address(bad: Hostile, realm: str) -> None:
    bad.says = asks_to_sign_in(realm)
    code = problem(lambda: there(bad, **PAIR).manifest("team/web", "1"))
    assert code in ("remote_realm", "remote_signs_in_elsewhere")
    assert not any(shown for _method, _path, shown in bad.heads)


def test_the_password_goes_to_the_named_places_alone(bad: Hostile, other: Hostile) -> None:
    bad.says = asks_to_sign_in(f"{other.url}/token")
    other.says = lambda asked: asked.document({"token": "abc"})
    assert problem(lambda: there(bad, **PAIR).manifest("team/web", "1")) == "remote_signs_in_elsewhere"
    assert other.heads == [], "it was not even asked"
    assert problem(lambda: there(bad, signs_in_at=other.host, **PAIR).manifest("team/web", "1")) == "remote_refused"
    assert other.heads[0][2].startswith("Basic ")
    shown = [shown for _method, _path, shown in bad.heads]
    assert not any(one.startswith("Basic") for one in shown), "the registry itself sees the token"
    assert shown[-1] == "Bearer abc"


@pytest.mark.parametrize(
    "told", [{"token": "a\r\nX: y"}, {"token": ""}, {"token": 7}, [], "x", {"token": "x" * 20_000}, {}]
)
def test_tokens_that_are_none(bad: Hostile, told: Any) -> None:
    def says(asked: Asked) -> None:
        if asked.path.startswith("/token"):
            asked.document(told)
        else:
            asks_to_sign_in(f"{bad.url}/token")(asked)

    bad.says = says
    assert problem(lambda: there(bad).manifest("team/web", "1")) == "remote_odd"


def test_a_layer_that_lies_elsewhere_is_fetched_without_the_password(bad: Hostile, other: Hostile) -> None:
    layer = b"somewhere else"

    def says(asked: Asked) -> None:
        if asked.headers.get("Authorization"):
            asked.answer(307, Location=f"{other.url}/store/x?signature=1")
        else:
            asked.answer(401, WWW_Authenticate='Basic realm="x"')

    bad.says = says
    other.says = lambda asked: asked.answer(200, layer)
    with there(bad, **PAIR).layer("team/web", digest_of(layer)) as answer:
        assert answer is not None
        assert answer.read() == layer
    assert bad.heads[-1][2].startswith("Basic ")
    assert other.heads == [("GET", "/store/x?signature=1", "")]


@pytest.mark.parametrize("where", [f"{INSIDE}/latest/meta-data", "http://10.0.0.1/", "file:///etc/passwd"])
def test_a_layer_that_lies_inside_is_not_fetched(bad: Hostile, where: str) -> None:
    bad.says = lambda asked: asked.answer(302, Location=where)

    def fetched() -> None:
        with there(bad).layer("team/web", digest_of(b"")):
            raise AssertionError("it was")

    assert problem(fetched) == "remote_not_allowed"


def test_where_to_send_a_layer_is_the_registry_itself(bad: Hostile) -> None:
    bad.says = lambda asked: asked.answer(202, Location=f"{INSIDE}/v2/team/web/blobs/uploads/7?state=x")
    upload = there(bad, **PAIR).begin_upload("team/web", digest_of(b""))
    assert upload is not None
    assert upload.address == "/v2/team/web/blobs/uploads/7?state=x"
    bad.says = lambda asked: asked.answer(202, Location=f"{INSIDE}/latest/user-data")
    assert problem(lambda: there(bad).begin_upload("team/web", digest_of(b""))) == "remote_odd"


def of_manifest(document: Any) -> Manifest:
    body = json.dumps(document).encode()
    return Manifest(digest_of(body), MANIFEST, body, document)


def test_lists_of_images_without_bounds(bad: Hostile) -> None:
    """Each names another one that names another one; or one names a hundred thousand."""
    documents: dict[str, bytes] = {}
    last = json.dumps({"manifests": []}).encode()
    for _depth in range(20):
        documents[digest_of(last)] = last
        last = json.dumps({"manifests": [{"digest": digest_of(last)}]}).encode()
    documents[digest_of(last)] = last
    bad.says = lambda asked: asked.answer(200, documents[asked.path.rpartition("/")[2]])
    assert problem(lambda: contents(there(bad), "x", of_manifest(json.loads(last)))) == "copy_too_large"
    wide = {digest_of(body): body for body in (json.dumps({"x": number}).encode() for number in range(300))}
    bad.says = lambda asked: asked.answer(200, wide[asked.path.rpartition("/")[2]])
    first = of_manifest({"manifests": [{"digest": digest} for digest in wide]})
    assert problem(lambda: contents(there(bad), "x", first)) == "copy_too_large"


@pytest.mark.parametrize(
    ("layers", "code"),
    [
        ([{"digest": "sha256:../../../etc/passwd", "size": 1}], "remote_odd"),
        ([{"digest": digest_of(b""), "size": -1}], "remote_odd"),
        ([{"digest": digest_of(b""), "size": "1"}], "remote_odd"),
        ([{"digest": digest_of(b""), "size": 2**62}], "copy_too_large"),
        ([{"digest": digest_of(str(n).encode()), "size": 1} for n in range(3000)], "copy_too_large"),
    ],
)
def test_layers_without_bounds(bad: Hostile, layers: list[Any], code: str) -> None:
    assert problem(lambda: contents(there(bad), "x", of_manifest({"layers": layers}))) == code


def test_a_manifest_that_is_another(bad: Hostile) -> None:
    bad.says = lambda asked: asked.document({"layers": []})
    assert problem(lambda: there(bad).manifest("team/web", digest_of(b"asked for"))) == "copy_digest_wrong"
    bad.says = lambda asked: asked.document({"layers": []}, Docker_Content_Digest=digest_of(b"said"))
    assert problem(lambda: there(bad).manifest("team/web", "1")) == "copy_digest_wrong"


@pytest.mark.parametrize("body", [b"", b"[" * 10**5, b"[]", b"\xff\xfe", b"null", b'"x"'])
def test_what_is_no_document(bad: Hostile, body: bytes) -> None:
    bad.says = lambda asked: asked.answer(200, body)
    assert problem(lambda: there(bad).manifest("team/web", "1")) == "remote_odd"


CONTENT = b"of the layer" * 1000


def image_of(bad: Hostile, layer: Callable[[Asked], None]) -> None:
    """An image of a configuration and one layer, which is answered in some way."""
    config = b"{}"
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
        "layers": [{"mediaType": LAYER, "digest": digest_of(CONTENT), "size": len(CONTENT)}],
    }

    def says(asked: Asked) -> None:
        if "/manifests/" in asked.path:
            asked.document(document, Content_Type=MANIFEST)
        elif asked.path.endswith(digest_of(config)):
            asked.answer(200, config)
        else:
            layer(asked)

    bad.says = says


@pytest.mark.parametrize(
    ("layer", "code"),
    [
        (lambda asked: asked.answer(200, CONTENT[:-1] + b"!"), "copy_digest_wrong"),
        (lambda asked: asked.answer(200, CONTENT + b"more"), "copy_digest_wrong"),
        (lambda asked: asked.without_end(b"x" * 65536), "copy_digest_wrong"),
        (lambda asked: asked.answer(200, CONTENT[:-1]), "copy_unreachable"),
        (lambda asked: asked.answer(200, gzip.compress(CONTENT), Content_Encoding="gzip"), "copy_unreachable"),
        (lambda asked: asked.drip(), "copy_unreachable"),
        (lambda asked: asked.answer(404), "copy_not_there"),
        (lambda asked: asked.answer(500), "copy_unreachable"),
        (lambda asked: asked.answer(418), "remote_status"),
        (lambda asked: asked.answer(302, Location=INSIDE), "remote_not_allowed"),
    ],
    ids=["altered", "longer", "endless", "shorter", "packed", "drips", "gone", "broken", "teapot", "inside"],
)
def test_a_copy_of_what_is_not_as_it_says_fails_and_leaves_nothing(
    layer: Callable[[Asked], None], code: str, bad: Hostile, cast: Cast, home: Any, worked: Worked, impatient: None,
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    monkeypatch.setattr(foreign, "SECONDS", 1.0)
    monkeypatch.setattr(slices, "SECONDS", 0.5)
    image_of(bad, layer)
    RemoteRegistry.objects.create(tenant=cast.acme, project=cast.shop, name="bad", address=bad.url, secret=Secret(""))
    name = f"bad-{request.node.callspec.id}"
    image = f"{bad.host}/team/web:1"
    copy = worked(lambda: services.copy_image(cast.actor("developer"), cast.shop, image=image, name=name))
    copy.refresh_from_db()
    assert (copy.state, copy.operation.failure["code"]) == (ImageCopy.State.FAILED, code)
    assert not home(f"acme/shop/{name}", "1")
