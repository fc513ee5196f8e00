"""System checks: what must hold for every address, model and command, said before anything starts."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.views import APIView

from audit.commands import COMMANDS
from core.access import Scope
from tenants.roles import PERMISSIONS

# Addresses that answer to anybody, by name or, where they have none, by path. Each says nothing of any tenant.
PUBLIC = {
    "healthz": "is the process alive",
    "portal_metrics": "numbers of the portal itself, with a token of its own; else it is not there",
    "readyz": "can it do its work; names of checks only",
    "invitation": "its address is the secret of one invitation; any other is not there",
    "registry_gate": "the gate in front of the registry, with a secret of its own; else it is turned away",
    "registry_events": "the registry itself, with a secret of its own; else it is turned away",
    "registry_token": "the door of the registry, which asks for a password or a token itself",
    "sign_in": "the door itself",
    "sign_in_code": "a step of the door, for who has just given a right password",
    "sign_in_expired": "likewise",
    "sign_in_passkey": "the door itself, for whoever has a passkey",
    "sign_out": "leads back to the door",
    "set_language": "the reader's own cookie",
    "set_theme": "the reader's own cookie",
    "favicon.ico": "leads to a static file",
}
NOBODY = "platform.none"  # `view_permission` of a model whose rows nobody lists


@dataclass(frozen=True)
class Route:
    """One address of the site: its whole pattern as written, its name, and what answers."""

    path: str
    name: str
    view: Callable[..., Any]
    pattern: URLPattern

    @property
    def public(self) -> bool:
        return (self.name or self.path) in PUBLIC


def routes(entries: Iterable[URLPattern | URLResolver] | None = None, before: str = "") -> Iterator[Route]:
    """Every address of the URLconf, those of included ones too."""
    for entry in get_resolver().url_patterns if entries is None else entries:
        path = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, path)
        else:
            yield Route(path, entry.name or "", entry.callback, entry)


@register(Tags.urls)
def every_address_is_guarded(app_configs: Iterable[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """An address asks who is there, or stands in PUBLIC with its reason."""
    return [
        Error(
            f"The address /{route.path} answers without asking who is there.",
            hint="Put login_required or LoginRequiredMixin on its view (an API view inherits its guard), "
            "or its name into PUBLIC of portal/checks.py with the reason.",
            id="berth.E001",
        )
        for route in routes()
        if not route.public and not is_guarded(route.view)
    ]


def is_guarded(view: Callable[..., Any]) -> bool:
    """Whether a view turns away whoever is not signed in, by the means we use for that."""
    found = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if found is None:
        return hasattr(view, "login_url")  # login_required leaves it on what it wraps
    if issubclass(found, APIView):
        guards: list[type[BasePermission]] = list(found.permission_classes)
        return bool(guards) and not any(guard is AllowAny for guard in guards)
    return issubclass(found, LoginRequiredMixin)


@register(Tags.models)
def every_model_says_whose_its_rows_are(app_configs: Iterable[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """`scope` names real columns, `view_permission` a real permission."""
    return [
        Error(f"{model._meta.label}: {fault}", hint="See Scope in core/access.py.", obj=model, id="berth.E002")
        for model in our_models()
        for fault in faults_of(model)
    ]


def our_models() -> list[type[Model]]:
    """Every model of this project's own packages."""
    own = [config for config in apps.get_app_configs() if config.path.startswith(str(settings.BASE_DIR / config.label))]
    return [model for config in own for model in config.get_models()]


def faults_of(model: type[Model]) -> Iterator[str]:
    scope, permission = getattr(model, "scope", None), getattr(model, "view_permission", None)
    if not isinstance(scope, Scope):
        yield "it does not say whose its rows are (scope)."
        return
    for column in filter(None, (scope.tenant, scope.project)):
        if not leads_to_a_column(model, column):
            yield f"its scope names “{column}”, which is no column of it."
    if permission is None:
        yield "it does not say which permission lets one see its rows (view_permission)."
    elif permission not in PERMISSIONS and permission != NOBODY:
        yield f"its view_permission “{permission}” is not in tenants.roles.PERMISSIONS."


def leads_to_a_column(model: type[Model], path: str) -> bool:
    """Whether `a__b__c` can be followed from a model."""
    here: Any = model
    for part in path.split("__"):
        try:
            field = here._meta.get_field(part)
        except FieldDoesNotExist:
            return False
        here = field.related_model
    return True


@register(Tags.security)
def every_command_needs_a_known_permission(app_configs: Iterable[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Fixed permissions only; those that depend on the target are asked for each kind of target by tests/rules."""
    list(routes())  # imports all views, and with them all commands
    return [
        Error(
            f"The command {action} needs “{needs}”, which is no permission.",
            hint="Add it to PERMISSIONS in tenants/roles.py and to the roles that shall have it, or correct it.",
            id="berth.E003",
        )
        for action, needs in COMMANDS.items()
        if isinstance(needs, str) and needs not in PERMISSIONS
    ]
