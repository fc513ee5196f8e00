"""The deploy form: what may be typed, and beside which field each problem of a specification stands."""

import re
from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.drafts import COMMAND, HTTP, KEPT, NONE, OWN, TCP, Draft, sizes_of
from core.errors import FieldProblem
from core.names import RULE, is_label

MOST_VARIABLES = 200
LONGEST_VALUE = 32 * 1024
LINE = re.compile(r"\s*(?:export\s+)?([^=\s#][^=\s]*)\s*=(.*)\Z")

# which field of the form a path of the specification is about; the first that fits
_PLACES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"services\.[^.]+\.image"), "image"),
    (re.compile(r"services\.[^.]+\.(ports|expose)"), "ports"),
    (re.compile(r"services\.[^.]+\.deploy\.replicas"), "instances"),
    (re.compile(r"services\.[^.]+\.deploy\.resources\.\w+\.cpus"), "cpu"),
    (re.compile(r"services\.[^.]+\.deploy\.resources\.\w+\.memory"), "memory"),
    (re.compile(r"volumes\."), "storage"),
    (re.compile(r"services\.[^.]+\.x-berth\.health\.(http|tcp)\.port"), "ports"),
    (re.compile(r"services\.[^.]+\.x-berth\.health"), "path"),
    (re.compile(r"services\.[^.]+\.healthcheck"), "command"),
    (re.compile(r"(name|services\.[^.\[]+)\Z"), "name"),
)


class DeployForm(forms.Form):
    """Shown as text where somebody typed text: a number that is none comes back as it was typed."""

    image = forms.CharField(
        label=_("Image"), max_length=512, error_messages={"required": _("Choose an image, or type its name.")}
    )
    name = forms.CharField(
        label=_("Name of the app"), max_length=40, help_text=_("Part of its address; it stays for life."),
        error_messages={"required": _("Give the app a name.")},
    )  # fmt: skip
    instances = forms.IntegerField(label=_("Instances"), min_value=0, max_value=50)
    ports = forms.CharField(
        label=_("Ports"), required=False, max_length=200, help_text=_("Where it listens, such as 8080 or 8080, 53/udp.")
    )
    cpu = forms.DecimalField(label=_("CPU"), required=False, min_value=0, localize=False)
    memory = forms.DecimalField(label=_("Memory"), required=False, min_value=0, localize=False)
    storage = forms.CharField(
        label=_("Volumes"), required=False, max_length=2000, help_text=_("Each with its size, such as data 10Gi.")
    )
    health = forms.ChoiceField(
        label=_("Health check"),
        choices=[
            (OWN, _("the image's own")),
            (HTTP, _("HTTP address")),
            (TCP, _("port answers")),
            (COMMAND, _("command")),
            (NONE, _("none")),
        ],
    )
    path = forms.CharField(
        label=_("Path"), required=False, max_length=200, help_text=_("Well while GET on it answers 2xx or 3xx.")
    )
    command = forms.CharField(
        label=_("Command"),
        required=False,
        max_length=4000,
        help_text=_("Run in each instance; well while it ends with 0."),
    )
    lines = forms.CharField(
        label=_("Several at once"), required=False, widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=_("Lines such as NAME=value, as in a .env file."),
    )  # fmt: skip
    note = forms.CharField(
        label=_("Note"), required=False, max_length=200, help_text=_("Why this release; it stands in the history.")
    )

    def __init__(self, *args: Any, new: bool, kept: bool = False, volumes: Collection[str] = (), **kwargs: Any) -> None:
        """`new`: the app is made with this; `kept`: its health check is one that only YAML can show. `volumes`: those
        of the service, which have sizes here.
        """
        super().__init__(*args, **{"auto_id": "deploy-%s"} | kwargs)
        self._volumes = volumes
        if not new:
            del self.fields["name"]
        if not volumes:
            del self.fields["storage"]
        if kept:
            field: Any = self.fields["health"]
            field.choices = [(KEPT, _("as written in YAML")), *field.choices]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not is_label(name):
            raise forms.ValidationError(RULE, code="bad_name")
        return name

    def clean_storage(self) -> str:
        sent: str = self.cleaned_data["storage"]
        strange = sorted(set(sizes_of(sent)) - set(self._volumes))
        if strange:
            words = {"name": strange[0], "known": ", ".join(sorted(self._volumes))}
            raise forms.ValidationError(
                _("The service has no volume %(name)s; it has: %(known)s."), code="unknown", params=words
            )
        return sent

    def clean(self) -> dict[str, Any]:
        """What a check needs besides its kind."""
        sent: dict[str, Any] = self.cleaned_data
        if sent.get("health") in (HTTP, TCP) and not sent.get("ports"):
            self.add_error("ports", _("The health check needs the port it asks."))
        if sent.get("health") == COMMAND and not sent.get("command"):
            self.add_error("command", _("Say which command to run."))
        return sent

    def place(self, problems: Iterable[FieldProblem]) -> None:
        """Put each problem beside the field it is about, or above the form."""
        for problem in problems:
            field = field_of(problem.field)
            if field in self.errors:
                continue  # said already, in the form's own words
            known = field in self.fields
            text = worded(problem, with_path=not known)
            self.add_error(field if known else None, forms.ValidationError(text, code=problem.code))

    def forget_unfilled(self) -> None:
        """Do not scold for fields nobody has come to yet."""
        for name, errors in list(self.errors.as_data().items()):
            if all(error.code == "required" for error in errors):
                del self.errors[name]


def worded(problem: FieldProblem, *, with_path: bool) -> str:
    """Message and next step of a problem, with its path in front where nothing else says what it is about."""
    path, text = problem.field.removeprefix("spec."), f"{problem.message} {problem.hint}".strip()
    return f"{path}: {text}" if with_path and path and not text.startswith(path) else text


def field_of(path: str) -> str:
    """The form's field for a path of the specification; empty where it has none."""
    plain = path.removeprefix("spec.")
    return next((field for pattern, field in _PLACES if pattern.match(plain)), "")


class VariableForm(forms.Form):
    name = forms.CharField(label=_("Name"), required=False, max_length=256)
    value = forms.CharField(label=_("Value"), required=False, max_length=LONGEST_VALUE, strip=False)


class YamlForm(forms.Form):
    """The same as text."""

    name = forms.CharField(
        label=_("Name of the app"), max_length=40, error_messages={"required": _("Give the app a name.")}
    )
    yaml = forms.CharField(
        label=_("Specification"), max_length=256 * 1024, strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false", "wrap": "off", "class": "mono"}),
        help_text=_(
            "A Compose file in YAML or JSON; comments stay until it is deployed. In the editor Tab indents: "
            "press Escape first to leave it with Tab. Ctrl and Space completes."
        ),
        error_messages={"required": _("Write a specification, or go back to the form.")},
    )  # fmt: skip
    note = forms.CharField(label=_("Note"), required=False, max_length=200)

    def __init__(self, *args: Any, new: bool, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "deploy-%s"} | kwargs)
        if not new:
            del self.fields["name"]

    def place(self, problems: Iterable[FieldProblem]) -> None:
        """Those of the text are told together beside it; each has its own line below, where its way out stands."""
        found = list(problems)
        for problem in found:
            if problem.field == "name" and "name" in self.fields:
                self.add_error("name", worded(problem, with_path=False))
        count = sum(problem.field != "name" or "name" not in self.fields for problem in found)
        if count:
            text = ngettext(
                "%(count)s thing stands in the way; it is listed below with its line.",
                "%(count)s things stand in the way; they are listed below with their lines.",
                count,
            )
            self.add_error("yaml", text % {"count": count})


VariableForms = forms.formset_factory(VariableForm, extra=1, max_num=MOST_VARIABLES, absolute_max=MOST_VARIABLES + 50)


def lines_read(text: str) -> list[tuple[str, str]]:
    """Pairs of NAME=value lines; quotes around a value and comments go, as in a .env file."""
    found = []
    for line in text.splitlines():
        match = LINE.match(line)
        if match is not None:
            value = match[2].strip()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
            found.append((match[1], value[1:-1] if quoted else value))
    return found


def draft_from(data: Any, variables: Iterable[tuple[str, str]]) -> Draft:
    """The draft of what was sent, as text; `variables` without empty names."""
    return Draft(
        image=data.get("image", "").strip(),
        instances=data.get("instances", "").strip(),
        ports=data.get("ports", "").strip(),
        cpu=data.get("cpu", "").strip(),
        memory=data.get("memory", "").strip(),
        storage=data["storage"].strip() if "storage" in data else None,
        health=data.get("health", OWN),
        path=data.get("path", "").strip(),
        command=data.get("command", "").strip(),
        variables=tuple(variables),
    )
