"""What the gate in front of the registry asks before something gets a name, is taken out or is fetched.

A rule is a function of a `Question`: it raises what is to be told to whoever asked, or says nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import jwt
from django.utils.translation import gettext as _
from jwt.types import Options

from core.access import Actor
from core.errors import BadRequest, NotSignedIn
from images.promotion import places
from images.registry import names, scopes, signing, telling
from images.registry.taking import actor_of
from tenants.lifecycle import closed
from tenants.models import Project

Deed = Literal["tag", "upload", "delete_manifest", "delete_blob", "pull"]
NEEDS: dict[str, str] = {
    "tag": "push", "upload": "push", "delete_manifest": "delete", "delete_blob": "delete", "pull": "pull",
}  # fmt: skip
MOST_PARTS = 500


@dataclass(frozen=True)
class Part:
    digest: str
    size: int


@dataclass(frozen=True)
class Question:
    """`subject` is whom our own token named, such as `person:<id>` or `account:<id>` of an environment.

    Of a manifest that is pushed (`tag`): its `digest` and `size`, its configuration, the layers it names, and the
    images (by digest) that it is made of.
    """

    deed: Deed
    path: names.Path
    project: Project
    subject: str
    reference: str = ""
    digest: str = ""
    size: int = 0
    config: Part | None = None
    layers: tuple[Part, ...] = ()
    images: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        """Empty where it is about a digest."""
        return "" if ":" in self.reference else self.reference

    @cached_property
    def who(self) -> Actor:
        return actor_of(self.subject)


Rule = Callable[[Question], None]
_rules: dict[str, list[Rule]] = {deed: [] for deed in get_args(Deed)}


def rule(*deeds: Deed) -> Callable[[Rule], Rule]:
    """Have a function asked about these deeds, after those that were there before."""

    def register(asked: Rule) -> Rule:
        for deed in deeds:
            _rules[deed].append(asked)
        return asked

    return register


@rule("tag", "upload", "delete_manifest", "delete_blob")
def refuse_where_closed(question: Question) -> None:
    """A token outlasts the moment in which its project was suspended or archived; what it was for does not."""
    if question.project.state != Project.State.ACTIVE:
        raise closed(question.project)


def answer(told: Any) -> None:
    """Pass, or raise what is to be told. NotSignedIn: no token of ours allows it, so the registry asks for one."""
    asked = told if isinstance(told, dict) else {}
    if asked.get("deed") == "pull" and places.is_place(str(asked.get("name"))):
        _subject(str(asked.get("token") or ""), str(asked["name"]), NEEDS["pull"])
        return  # what lies there is what is approved; such a token was given to the hosts of that stage alone
    question = _read(asked)
    for one in _rules[question.deed]:
        one(question)


def _read(told: dict[str, Any]) -> Question:
    deed, name, reference = (str(told.get(key) or "") for key in ("deed", "name", "reference"))
    if deed not in NEEDS:
        raise BadRequest(_("This is nothing that a gate asks."))
    path = names.parse(name)
    subject = _subject(str(told.get("token") or ""), name, NEEDS[deed])
    project = scopes.project_of(path) if path else None
    if path is None or project is None:
        raise NotSignedIn()
    config, layers, images = _parts(told)
    return Question(
        deed=deed,  # type: ignore[arg-type]  # one of NEEDS
        path=path,
        project=project,
        subject=subject,
        reference=reference,
        digest=str(told.get("digest") or ""),
        size=_number(told.get("size")),
        config=config,
        layers=layers,
        images=images,
    )


def _subject(token: str, name: str, action: str) -> str:
    """Whom the token names, if we signed it and it allows this.

    Not whether it is still good: the registry looks at that, and is more patient with its clock than we are.
    """
    loose: Options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
    try:
        said = jwt.decode(token, signing.public_key(), algorithms=[signing.ALGORITHM], options=loose)
    except jwt.InvalidTokenError:
        raise NotSignedIn() from None
    access = said.get("access") or ()
    if not any(one["type"] == scopes.REPOSITORY and one["name"] == name and action in one["actions"] for one in access):
        raise NotSignedIn()
    return str(said.get("sub", ""))


def _parts(told: dict[str, Any]) -> tuple[Part | None, tuple[Part, ...], tuple[str, ...]]:
    """What is named by a digest that can be; all else the registry refuses."""
    config = [_part(one) for one in [told.get("config")] if one]
    layers = told.get("layers") or ()
    images = told.get("images") or ()
    if len(layers) > MOST_PARTS or len(images) > MOST_PARTS:
        raise BadRequest(_("The image has too many parts."))
    named = [one for one in map(_part, layers) if telling.DIGEST.match(one.digest)]
    whole = next((one for one in config if telling.DIGEST.match(one.digest)), None)
    return whole, tuple(named), tuple(str(one) for one in images if telling.DIGEST.match(str(one)))


def _part(told: Any) -> Part:
    try:
        digest, size = told
    except (TypeError, ValueError):
        raise BadRequest(_("This is nothing that a gate asks.")) from None
    return Part(str(digest)[:80], _number(size))


def _number(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**50 else 0
