"""/styleguide/: every component in its states, from the files the pages use. Shown only in debug mode."""

from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from core.lanes import Box, draw
from core.status import Status


@dataclass(frozen=True)
class Stage:
    name: str
    stage: str
    protected: bool = False


STAGES = (Stage("dev", "dev"), Stage("test", "test"), Stage("prod", "prod", protected=True))


class SampleForm(forms.Form):
    """Fields of every kind; bound with bad values it shows every error."""

    name = forms.SlugField(help_text="Small letters, digits and “-”.")
    memory = forms.IntegerField(max_value=8192)
    route = forms.CharField(required=False, help_text="A name you can prove to own.")
    policy = forms.ChoiceField(choices=[("one", "one by one"), ("all", "all at once")])
    note = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    kind = forms.ChoiceField(
        choices=[("swarm", "Docker Swarm"), ("kubernetes", "Kubernetes")], widget=forms.RadioSelect
    )
    agree = forms.BooleanField(required=False, label="Roll back by itself when errors rise")


def sample_steps() -> list[SimpleNamespace]:
    return [
        SimpleNamespace(status=Status.DONE, title="Preflight passed", detail="9 of 9", took_seconds=2),
        SimpleNamespace(status=Status.FAILED, title="Move the data", detail="it ended with code 1", took_seconds=21),
        SimpleNamespace(
            status=Status.DOING, title="Replace web, one at a time", detail="2 of 4 ready", took_seconds=64
        ),
        SimpleNamespace(status=Status.PENDING, title="Watch errors", detail="", took_seconds=None, took="about 2 min"),
    ]


def sample_preflight() -> list[SimpleNamespace]:
    link = SimpleNamespace(label="Use 1.5.0", url="#use")
    sent = SimpleNamespace(label="Add one", url="", name="fix", value="health")
    return [
        SimpleNamespace(kind="ok", title="Quota, ports and secrets are in order", detail="", fix=None),
        SimpleNamespace(
            kind="bad",
            title="Image shop/web:1.6 is not in the registry",
            detail="The newest is 1.5.0.",
            fix=link,
        ),
        SimpleNamespace(kind="warn", title="web has no health check", detail="A stuck instance would stay.", fix=sent),
    ]


def sample_instances() -> list[SimpleNamespace]:
    states = (
        Status.RUNNING,
        Status.RUNNING,
        Status.NOT_STARTING,
        Status.STARTING,
        Status.RUNNING,
        Status.WAITING,
    )
    return [
        SimpleNamespace(number=place, status=status, url=f"#i{place}", old=place == 5, word="", starts=place)
        for place, status in enumerate(states, start=1)
    ]


def sample_topology() -> dict[str, Any]:
    """Two routes, two services in trouble, a volume."""
    boxes = [Box("route", 0, 50), Box("web", 1, 70), Box("worker", 1, 70), Box("db", 2, 70), Box("data", 3, 50)]
    links = [("route", "web"), ("web", "db"), ("worker", "db"), ("db", "data")]
    said = (
        ("route", "shop.example:8080", "port 8080/tcp of web", None, ()),
        ("web", "web", "3 of 4 · keeps crashing", Status.CRASHING, ("", "", "", "is-bad")),
        ("worker", "worker", "2 of 2 · 11 % CPU · 210 MB", Status.RUNNING, ("", "")),
        ("db", "db", "0 of 1 · starting", Status.STARTING, ("is-busy",)),
        ("data", "data", "/var/lib/postgresql/data", None, ()),
    )
    parts = [
        SimpleNamespace(
            key=key, title=title, about=about, status=status, cells=cells, url=f"#{key}", label=f"{title}, {about}"
        )
        for key, title, about, status, cells in said
    ]
    drawing = draw(boxes, links)
    names = ("Routes", "Services", "What they need", "Volumes")
    return {"drawing": drawing, "parts": parts, "lanes": list(zip(drawing.lanes, names, strict=True))}


def sample_found() -> list[SimpleNamespace]:
    """Two groups of the palette: one to go to, one to do."""
    shop = SimpleNamespace(label="storefront", url="#storefront", icon="box", tail="acme / shop")
    deeds = (("Deploy storefront to test", "rocket", False), ("Restart storefront in dev", "refresh", True))
    entries = [
        SimpleNamespace(label=label, url="#do", icon=icon, tail="acme / shop", post=post) for label, icon, post in deeds
    ]
    return [
        SimpleNamespace(key="apps", title="Apps", entries=[shop]),
        SimpleNamespace(key="do", title="Do", entries=entries),
    ]


def sample_problem() -> dict[str, Any]:
    return {
        "status": 403,
        "title": "You may not do this",
        "detail": "You need the permission “app.release” for this.",
        "permission": "app.release",
        "lets": "deploy, scale, stop and roll back in protected environments",
        "hint": "An owner or admin of tenant acme can give it to you.",
        "code": "denied",
        "request_id": "0190c3b2a1f47c0e9d5b8a6f4e3d2c1b",
        "actions": [{"label": "Go to the start page", "url": "#start"}],
    }


def sample_context() -> dict[str, Any]:
    now = timezone.now()
    return {
        "found": sample_found(),
        "problem": sample_problem(),
        "environments": STAGES,
        "dev": STAGES[0],
        "test": STAGES[1],
        "prod": STAGES[2],
        "statuses": list(Status),
        "steps": sample_steps(),
        "lines": sample_preflight(),
        "instances": sample_instances(),
        "topology": sample_topology(),
        "passed": ["dev", "test"],
        "rising": [30, 34, 32, 40, 48, 44, 52, 55],
        "near": [60, 62, 70, 69, 76, 88],
        "before": "CART_URL=http://cart-api:8080\nPOOL_SIZE=6",
        "after": "CART_URL=http://cart-api:8080\nPOOL_SIZE=8",
        "form": SampleForm({"name": "Store Front", "memory": "16384", "policy": "one", "kind": "swarm", "agree": "on"}),
        "now": now,
        "minutes_ago": now - timedelta(minutes=12),
        "days_ago": now - timedelta(days=3, hours=1),
        "tomorrow": now + timedelta(hours=30),
    }


def styleguide(request: HttpRequest) -> HttpResponse:
    return render(request, "styleguide.html", sample_context())
