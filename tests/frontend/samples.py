"""A frame as portal/frame.py makes it, for pages rendered without a database."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

Render = Callable[..., str]


def item(label: str, icon: str, *, current: bool = False, tally: int = 0) -> SimpleNamespace:
    return SimpleNamespace(label=label, url=f"/{icon}/", icon=icon, current=current, tally=tally)


def frame(**changes: Any) -> SimpleNamespace:
    tenant = SimpleNamespace(name="acme", title="Acme")
    here = SimpleNamespace(label="shop", url="/t/acme/p/shop/", tenant=tenant, current=True)
    parts: dict[str, Any] = {
        "place": SimpleNamespace(tenant=tenant, project=SimpleNamespace(name="shop", title="")),
        "places": [here, SimpleNamespace(label="billing", url="/t/acme/p/billing/", tenant=tenant, current=False)],
        "nav": [
            SimpleNamespace(title="", items=[item("Home", "home", tally=3)]),
            SimpleNamespace(
                title="Run", items=[item("Overview", "layout-dashboard", current=True), item("Activity", "activity")]
            ),
        ],
        "operations_running": 2,
        "operations_url": "/activity/",
        "person": {"name": "rita", "initials": "ri"},
        "theme": "dark",
        "language_choice": {"code": "zh-hans", "label": "中文", "short": "中"},
        "version": "0.1.0",
    }
    return SimpleNamespace(**(parts | changes))
