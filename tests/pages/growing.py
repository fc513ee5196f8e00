"""More of the same, to see that a page does not ask the database more often for it."""

from typing import Any

from apps.services import create_app, create_environment
from apps.specification import from_image
from tenants.services import create_project
from tests.conftest import Cast, Wakeups


def another_project(cast: Cast, name: str, wakeups: Wakeups, on_commit: Any) -> None:
    """A project of acme with an app that runs in its only environment."""
    owner = cast.actor("owner")
    project = create_project(owner, cast.acme, name=name)
    environment = create_environment(owner, project, name="dev", stage="dev", cluster=cast.cluster)
    with on_commit(execute=True):
        spec = from_image("berth/hello:1", ports=[8080])
        create_app(owner, project, name="hello", environment=environment, spec=spec)
    with on_commit(execute=True):
        wakeups.drain()
