"""The lines of the preflight card: what is found, what is wrong with what was typed, and the button of each."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from apps.drafts import OWN, Draft, name_from
from apps.forms import worded
from apps.preflight import Finding
from apps.specification import Positions, Remedy, Spot, remedy
from core.errors import FieldProblem

SPEC = "spec."


@dataclass(frozen=True)
class Fix:
    """A link, or a button that sends `name` and `value` with the panel; `post` is where to, `into` what it fills."""

    label: str
    url: str = ""
    name: str = ""
    value: str = ""
    post: str = ""
    into: str = "#deploy"


@dataclass(frozen=True)
class Line:
    kind: str
    title: str
    detail: str = ""
    fix: Fix | None = None
    spot: Spot | None = None


def mend_button(label: str, mend: Mapping[str, Any], address: str) -> Fix:
    return Fix(label, name="mend", value=json.dumps(mend), post=address)


def found_line(finding: Finding, address: str, spots: Positions | None) -> Line:
    """A finding with its mend; a red one without any leads to the field it is about."""
    fix = mend_button(finding.button or _("Mend it"), finding.mend, address) if finding.mend else None
    if fix is None and finding.link:
        fix = Fix(finding.button, url=finding.link)
    if fix is None and finding.level == "bad":
        fix = Fix(_("Choose another image"), url="#deploy-image") if finding.field.endswith(".image") else None
    spot = spots.of(finding.field.removeprefix(SPEC)) if spots else None
    title = finding.message if finding.level == "ok" else _with_line(finding.message, spot)
    return Line(finding.level, title, finding.hint, fix, spot)


def _with_line(text: str, spot: Spot | None) -> str:
    return _("Line %(line)s: %(text)s") % {"line": spot.line, "text": text} if spot else text


@dataclass(frozen=True)
class TextTrouble:
    """What is wrong with the text of the YAML tab. `data`: what could be read of it; None where it is no YAML."""

    problems: Sequence[FieldProblem]
    data: object
    spots: Positions
    address: str

    def lines(self) -> Iterator[Line]:
        for one in self.problems:
            spot = self.spots.of(one.field) if one.field else self.spots.broken
            yield Line("bad", _with_line(str(one.message), spot), str(one.hint), self._fix(one), spot)

    def _fix(self, one: FieldProblem) -> Fix:
        found = remedy(one, self.data) if self.data is not None else None
        if found is None:
            return Fix(_("Put back what was there"), name="go", value="back", post=self.address)
        return remedy_button(found, self.address)


def remedy_button(found: Remedy, address: str) -> Fix:
    mend = {SPEC + path: value for path, value in found.mend.items()}
    return mend_button(_remedy_label(found), mend, address)


def _remedy_label(found: Remedy) -> str:
    labels = {"move": _("Move it to %(other)s"), "rename": _("Call it %(other)s"), "out": _("Take it out")}
    return labels[found.kind] % {"other": found.other}


@dataclass(frozen=True)
class FormTrouble:
    """What is wrong with the fields. `before`: the draft that was in order; `document`: what the fields make."""

    form: forms.Form
    draft: Draft
    before: Draft
    problems: Sequence[FieldProblem]
    document: object
    address: str

    def lines(self) -> Iterator[Line]:
        return (line for _name, line in self.named_lines())

    def named_lines(self) -> Iterator[tuple[str, Line]]:
        """Each with the name of its field."""
        for name, texts in self.form.errors.items():
            label = str(self.form.fields[name].label) if name in self.form.fields else ""
            for text in texts:
                yield name, Line("bad", f"{label} · {text}".strip(" ·"), "", self._fix(name, str(text)))

    def _fix(self, field: str, text: str) -> Fix | None:
        if field not in self.form.fields:
            return self._taken_out(text)
        special = {"command": self._own_check, "path": self._own_check, "name": self._named}
        mend, label = special.get(field, lambda: self._put_back(field))()
        return mend_button(label, mend, self.address) if mend else Fix(_("Go to the field"), url=f"#deploy-{field}")

    def _own_check(self) -> tuple[dict[str, str], str]:
        return {"health": OWN}, _("Use the image's own check")

    def _named(self) -> tuple[dict[str, str], str]:
        name = name_from(self.draft.image)
        return ({"name": name} if name else {}), _("Call it %(other)s") % {"other": name}

    def _put_back(self, field: str) -> tuple[dict[str, str], str]:
        """The value from before; where that is what stands there, nothing helps but another one."""
        good, now = str(getattr(self.before, field, "")), str(getattr(self.draft, field, "?"))
        if good == now:
            return ({field: ""}, _("Leave it empty")) if not self.form.fields[field].required else ({}, "")
        if not good and self.form.fields[field].required:
            return {}, ""
        return {field: good}, _("Put back %(value)s") % {"value": good} if good else _("Leave it empty")

    def _taken_out(self, text: str) -> Fix | None:
        """A problem that has no field of its own: of a variable, or of what only the text shows."""
        problem = next((one for one in self.problems if worded(one, with_path=True) == text), None)
        found = remedy(problem, self.document) if problem else None
        if found is None:
            return Fix(_("See it as YAML"), name="go", value="yaml", post=self.address)
        return remedy_button(found, self.address)
