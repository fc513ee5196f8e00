"""What a driver says that it gives its engine: readable, and with nothing in it that could be secret."""

import base64
import json
from dataclasses import replace

from backends.contract import Credentials, Driver, EnvironmentRef, FileMount, ServiceRef, ServiceSpec
from core.secrets import Secret


class GivenContract:
    def test_what_the_engine_is_given_can_be_read_with_secrets_covered(self, driver: Driver) -> None:
        """Nothing is asked of the engine: neither environment nor image exists."""
        spec = ServiceSpec(
            ref=ServiceRef("e-given", "a-given", "web"),
            image="registry.example/shop/web@sha256:" + "b" * 64,
            instances=2,
            environment=(("PLAIN", "kept-to-oneself"), ("WORD", "hush" * 40)),
            files=(
                FileMount("f-1", "/etc/app.conf", b"key=value"),
                FileMount("f-2-print", "/run/secrets/word", b"hush-hush", secret=True),
            ),
        )
        given = driver.given(EnvironmentRef("e-given"), [spec])
        assert {one.service for one in given} == {"", "web"}
        said = json.dumps([one.document for one in given])
        for expected in ("e-given", "a-given", "PLAIN", "/run/secrets/word", spec.image):
            assert expected in said, expected
        assert base64.b64encode(b"key=value").decode() in said or "key=value" in said
        hidden = ("kept-to-oneself", "hush", "f-2-print", spec.revision)
        for secret in (*hidden, *(base64.b64encode(one.encode()).decode().rstrip("=") for one in hidden)):
            assert secret not in said, secret
        longer = replace(spec, environment=(("PLAIN", "x" * 900), ("WORD", "")))
        assert driver.given(EnvironmentRef("e-given"), [longer]) == given

    def test_the_account_that_fetches_images_is_covered(self, driver: Driver) -> None:
        """On some engines the environment itself holds it: the pair, and the whole document around it, are encoded."""
        pull = Credentials("registry.example", "berth-pull", Secret("a-password-of-the-registry"))
        given = driver.given(EnvironmentRef("e-given", pull=pull), [])
        said = json.dumps([one.document for one in given])
        pair = base64.b64encode(b"berth-pull:a-password-of-the-registry").decode()
        whole = json.dumps({"auths": {"registry.example": {"auth": pair}}}).encode()
        assert "e-given" in said
        for secret in ("a-password-of-the-registry", pair, base64.b64encode(whole).decode()):
            assert secret not in said
