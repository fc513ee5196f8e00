"""A real registry that gives tokens elsewhere: what is asked for there, and who sees the password."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest

from core.secrets import Secret
from images.replication.foreign import Foreign
from images.replication.problems import RemoteProblem
from images.replication.talking import Manifest, Registry
from tests.replication.depots import PASSWORD, USER, own, token_server

LAYER, CONFIG = b"a layer behind a token", b"{}"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def send(registry: Registry, path: str, content: bytes) -> None:
    upload = registry.begin_upload(path, digest_of(content))
    assert upload is not None
    registry.finish(path, registry.send(path, upload, content), digest_of(content))


def image() -> Manifest:
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    body = (
        f'{{"schemaVersion":2,"mediaType":"{kind}",'
        f'"config":{{"mediaType":"x/y","digest":"{digest_of(CONFIG)}","size":{len(CONFIG)}}},'
        f'"layers":[{{"mediaType":"x/z","digest":"{digest_of(LAYER)}","size":{len(LAYER)}}}]}}'
    ).encode()
    return Manifest(digest_of(body), kind, body, {})


def test_it_is_pushed_to_and_pulled_from_with_tokens_for_just_that(tmp_path: Path, settings: Any) -> None:
    with token_server() as (realm, asked), own(tmp_path / "registry", realm=realm) as (private, said):
        settings.REGISTRY = said  # whose key the token server signs with
        signs_in_at = realm.partition("://")[2].partition("/")[0]
        known = {"user": USER, "secret": Secret(PASSWORD)}
        there = Registry(Foreign(private.url, signs_in_at=signs_in_at, **known))
        there.answers()
        for content in (LAYER, CONFIG):
            send(there, "team/web", content)
        assert there.has("team/web", digest_of(LAYER))
        there.put("team/web", "1", image())
        found = there.manifest("team/web", "1")
        assert found is not None
        assert found.body == image().body
        assert (list(there.tags("team/web")), list(there.repositories())) == (["1"], ["team/web"])
        assert there.begin_upload("team/other", digest_of(LAYER), mount_from="team/web") is None, "taken from beside"
        with there.layer("team/other", digest_of(LAYER), offset=8) as answer:
            assert answer is not None
            assert (answer.status, answer.read()) == (206, LAYER[8:])
        assert {shown for shown, _scopes in asked} == {BASIC}
        assert {scopes for _shown, scopes in asked} == {
            "", "repository:team/web:pull,push", "repository:team/web:pull", "registry:catalog:*",
            "repository:team/other:pull,push repository:team/web:pull", "repository:team/other:pull",
        }  # fmt: skip
        before = len(asked)
        unnamed = Registry(Foreign(private.url, **known))
        with pytest.raises(RemoteProblem) as refused:
            unnamed.manifest("team/web", "1")
        assert (refused.value.code, len(asked)) == ("remote_signs_in_elsewhere", before)
        stranger = Registry(Foreign(private.url))
        with pytest.raises(RemoteProblem) as nobody:
            stranger.manifest("team/web", "1")
        assert nobody.value.code == "remote_refused"
