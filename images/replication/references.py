"""Names of images elsewhere as people write them, and patterns of names."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from django.utils.translation import gettext_lazy as _

from core.errors import FieldProblem, Invalid
from images.registry import names
from images.registry.telling import DIGEST, TAG
from images.replication.address import HUB, checked, repository_there, shown
from tenants.models import Project

PATTERN = re.compile(r"[A-Za-z0-9_.*?/-]{1,200}\Z", re.ASCII)
LATEST = "latest"
LONGEST_NAME = 200


@dataclass(frozen=True)
class Reference:
    """`host` as it stands before the name; `reference` is a tag or a digest."""

    host: str
    name: str
    reference: str


def read(text: str) -> Reference:
    """`[host/]name[:tag][@digest]`; without a host Docker Hub is meant. Errors: Invalid, at `image`."""
    rest, _at, digest = text.strip().removeprefix("docker://").partition("@")
    first, slash, after = rest.partition("/")
    has_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    address = checked(first, field="image") if has_host else HUB
    name, _colon, tag = (after if has_host else rest).partition(":")
    reference = digest or tag or LATEST
    name = repository_there(address, name)
    if not is_name(name) or not (DIGEST.match(reference) or TAG.match(reference)) or (digest and ":" not in digest):
        message = _("This is not the name of an image.")
        hint = _("It looks like registry.example.com/team/web:1.4, or ends with @sha256: and 64 letters and digits.")
        raise Invalid(errors=[FieldProblem("image", "bad_image", message, hint)])
    return Reference(shown(address), name, reference)


def path_here(project: Project, name: str, *, field: str = "name") -> str:
    """Where it lies in our registry. Errors: Invalid."""
    path = names.parse(f"{project}/{name.strip()}")
    if path is None:
        message = _("This is not the name of a repository.")
        hint = _("Use small letters and digits, with single hyphens, dots and slashes between them.")
        raise Invalid(errors=[FieldProblem(field, "bad_name", message, hint)])
    return str(path)


def checked_tag(text: str, *, field: str = "tag") -> str:
    """A tag, or nothing. Errors: Invalid."""
    if text and not TAG.match(text):
        message = _("A tag has up to 128 letters, digits, dots, hyphens and underscores.")
        raise Invalid(errors=[FieldProblem(field, "bad_tag", message)])
    return text


def is_pattern(text: str) -> bool:
    return PATTERN.match(text) is not None


def fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern)


def is_plain(pattern: str) -> bool:
    """It names one thing."""
    return not set("*?") & set(pattern)


def is_name(name: str) -> bool:
    """Of a repository on any registry."""
    return 0 < len(name) <= LONGEST_NAME and all(names.PART.match(part) for part in name.split("/"))
