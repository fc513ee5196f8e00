"""A frame as portal/frame.py makes it, for pages rendered without a database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from core.status import Status

Render = Callable[..., str]
MOMENT = datetime(2026, 11, 21, 9, 45, tzinfo=UTC)


def item(label: str, icon: str, *, current: bool = False, tally: int = 0) -> SimpleNamespace:
    return SimpleNamespace(label=label, url=f"/{icon}/", icon=icon, current=current, tally=tally)


def place(name: str, tenant: Any, *, current: bool = False, recent: bool = False) -> SimpleNamespace:
    project = SimpleNamespace(name=name, title="")
    url = f"/t/{tenant.name}/p/{name}/"
    return SimpleNamespace(label=name, url=url, tenant=tenant, project=project, current=current, recent=recent)


def running() -> SimpleNamespace:
    names = {"tenant": "acme", "project": "shop", "app": "web", "number": 7}
    return SimpleNamespace(
        title="Deploy release 3", app="web", environment=None, step="web: 1 of 3 instances ready", names=names,
        took=timedelta(seconds=9), status=Status.DOING,
    )  # fmt: skip


def notice(title: str, *, read_at: Any = MOMENT) -> SimpleNamespace:
    row = SimpleNamespace(pk="0190", level="ok", link="/t/acme/", created_at=MOMENT, read_at=read_at)
    return SimpleNamespace(notice=row, title=title, detail="", place="acme / shop")


def frame(**changes: Any) -> SimpleNamespace:
    tenant = SimpleNamespace(name="acme", title="Acme")
    here = place("shop", tenant, current=True, recent=True)
    parts: dict[str, Any] = {
        "place": SimpleNamespace(tenant=tenant, project=SimpleNamespace(name="shop", title="")),
        "places": [here, place("billing", tenant)],
        "nav": [
            SimpleNamespace(title="", items=[item("Home", "home", tally=3)]),
            SimpleNamespace(
                title="Run", items=[item("Overview", "layout-dashboard", current=True), item("Activity", "activity")]
            ),
        ],
        "operations_running": 2,
        "operations_url": "/activity/",
        "running": SimpleNamespace(count=2, more=1, lines=[running()]),
        "unread": 1,
        "notices": [notice("Release 3 of web runs in dev", read_at=None), notice("web in dev is stopped")],
        "person": {"name": "rita", "initials": "ri", "links": [{"label": "Profile", "url": "/me/", "icon": "user"}]},
        "app_name": "",
        "keys": True,
        "reader": False,
        "theme": "dark",
        "language_choice": {"code": "zh-hans", "label": "中文", "short": "中"},
        "version": "0.1.0",
    }
    return SimpleNamespace(**(parts | changes))
