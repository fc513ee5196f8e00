"""A release as a file that others take: in the words of the specification, or of an engine."""

from dataclasses import dataclass

from apps.models import Release
from apps.specification import exported, stored
from backends.formats import FORMATS, format_named

OWN = "compose"
FORMS: dict[str, str] = {OWN: "Compose", **{one.code: one.label for one in FORMATS}}


@dataclass(frozen=True)
class Export:
    """`name` of the file; `form` is one of FORMS."""

    form: str
    name: str
    text: str


def export(release: Release, form: str) -> Export:
    spec, engine = stored(release.specification), format_named(form)
    text = exported(spec, app=release.app.name, form=engine) if engine else spec.to_yaml()
    return Export(form if engine else OWN, f"{release.app.name}-{release.number}.yaml", text)
