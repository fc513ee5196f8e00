"""Every reason has words, in every form it is kept in."""

import re

import pytest
from django.utils import translation

from backends.contract import Reason, ReasonCode
from backends.words import hint, sentence

PARAMS = {
    "cluster": "north", "service": "web", "image": "shop/web:1.4", "command": "/app/start", "exit_code": 3, "times": 4,
    "ready": 1, "wanted": 3, "host": "host-1", "said": "it is so", "port": 8080,
}  # fmt: skip


@pytest.mark.parametrize("code", ReasonCode)
def test_every_code_has_a_sentence_and_a_next_step(code: ReasonCode) -> None:
    reason = Reason(code, PARAMS)
    for text in (sentence(reason), hint(reason)):
        assert re.fullmatch(r"[A-Za-z0-9`].*[.!]|.*it is so", text)
        assert "%(" not in text
    assert sentence(reason) == sentence(reason.as_json())


@pytest.mark.parametrize("code", ReasonCode)
def test_a_gap_in_the_params_breaks_nothing(code: ReasonCode) -> None:
    assert sentence({"code": str(code)})
    assert hint({"code": str(code), "params": None})


def test_a_code_of_a_later_version_is_still_said() -> None:
    assert "brand_new" in sentence({"code": "brand_new", "params": {}})


def test_the_example_everybody_meets_first() -> None:
    with translation.override("en"):
        told = sentence(Reason(ReasonCode.IMAGE_NOT_FOUND, {"service": "web", "image": "shop/web:1.4"}))
    assert told == "web is not starting: the image `shop/web:1.4` was not found in the registry."


def test_a_percent_sign_in_what_was_said_is_just_that() -> None:
    assert "100%s" in sentence(Reason(ReasonCode.ENGINE_REFUSED, {"said": "100%s of it"}))
