"""The frame, the door and the style guide come out whole, for anybody, with and without scripts."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.http import HttpRequest
from django.template.loader import render_to_string

from console.styleguide import sample_context
from tests.frontend.samples import frame

EVIL = "<script>x</script>"


@pytest.fixture
def styleguide(page_request: HttpRequest) -> str:
    return render_to_string("styleguide.html", sample_context() | {"frame": frame()}, page_request)


def test_ids_are_unique_and_references_hold(styleguide: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', styleguide)
    assert sorted(ids) == sorted(set(ids))
    wanted = {
        word
        for text in re.findall(
            r'(?:for|aria-describedby|aria-labelledby|popovertarget|data-what)="([^"]+)"', styleguide
        )
        for word in text.split()
    }
    assert wanted - set(ids) == set()


def test_every_icon_that_is_used_is_in_the_sprite(styleguide: str) -> None:
    from django.contrib.staticfiles import finders

    sprite = finders.find("vendor/icons.svg")
    assert sprite
    with open(sprite, encoding="utf-8") as file:
        drawn = set(re.findall(r'<symbol id="([^"]+)"', file.read()))
    used = set(re.findall(r'icons[^"#]*\.svg#([\w-]+)"', styleguide))
    assert used
    assert used - drawn == set()


def test_language_theme_and_sign_out_are_forms(styleguide: str) -> None:
    forms_there = re.findall(r'<form[^>]*method="post" action="([^"]+)"', styleguide)
    assert any("i18n" in action or "lang" in action for action in forms_there)
    assert any("theme" in action for action in forms_there)
    assert any("sign-out" in action for action in forms_there)
    assert 'data-bs-theme="dark"' in styleguide


def test_nothing_in_the_frame_is_trusted(page_request: HttpRequest) -> None:
    tenant = SimpleNamespace(name=EVIL, title=EVIL)
    bad: Any = SimpleNamespace(label=EVIL, url=EVIL, icon=EVIL, tally=EVIL, current=True, tenant=tenant)
    evil = frame(
        place=SimpleNamespace(tenant=tenant, project=tenant), places=[bad],
        nav=[SimpleNamespace(title=EVIL, items=[bad])],
        operations_url=EVIL, operations_running=EVIL, person={"name": EVIL, "initials": EVIL}, version=EVIL, theme=EVIL,
        language_choice={"code": EVIL, "label": EVIL, "short": EVIL},
    )  # fmt: skip
    html = render_to_string("styleguide.html", sample_context() | {"frame": evil}, page_request)
    assert "<script>" not in html


class SignIn(forms.Form):
    username = forms.CharField()
    password = forms.CharField(widget=forms.PasswordInput)


def test_sign_in_says_what_was_wrong_and_never_repeats_the_password(page_request: HttpRequest) -> None:
    form = SignIn({"username": EVIL, "password": "open sesame"})
    form.add_error(None, "That user name and password do not belong together.")
    html = render_to_string(
        "door/sign_in.html", {"form": form, "next": EVIL, "frame": frame(person=None)}, page_request
    )
    assert "do not belong together" in html
    assert "open sesame" not in html
    assert "<script>" not in html
    assert 'role="alert"' in html


class Step(forms.Form):
    code, old, new, again = (forms.CharField() for _number in range(4))


@pytest.mark.parametrize("page", ["sign_in", "code", "expired"])
def test_each_step_of_the_door_says_once_what_was_wrong(page: str, page_request: HttpRequest) -> None:
    form = SignIn({}) if page == "sign_in" else Step({})
    form.add_error(None, f"That is not right. {EVIL}")
    problem = SimpleNamespace(message="Keystone cannot be reached", hint="Try again in a minute.")
    shown = {"form": form, "problem": problem, "kinds": [], "frame": frame(person=None)}
    html = render_to_string(f"door/{page}.html", shown, page_request)
    for said in ("Keystone cannot be reached.", "Try again in a minute.", "That is not right."):
        assert html.count(said) == 1
    assert html.count('role="alert"') == 2
    assert "<script>" not in html


def test_a_problem_names_the_request_and_the_way_on(page_request: HttpRequest) -> None:
    problem = {
        "status": 403, "title": "You may not deploy to prod", "detail": "That needs app.deploy.", "hint": EVIL,
        "code": "denied", "request_id": "01JD7Q2M8V", "actions": [{"label": "Back to shop", "url": "/shop/"}],
    }  # fmt: skip
    html = render_to_string("door/problem.html", {"problem": problem, "frame": frame()}, page_request)
    assert "01JD7Q2M8V" in html
    assert 'data-does="copy"' in html
    assert 'href="/shop/"' in html
    assert "<script>" not in html


def test_a_problem_without_a_frame_still_comes_out(page_request: HttpRequest) -> None:
    """A page about a failure must not depend on what failed."""
    html = render_to_string(
        "door/problem.html", {"problem": {"status": 500, "title": "Berth stumbled"}, "frame": None}, page_request
    )
    assert "Berth stumbled" in html
    assert 'href="/"' in html
