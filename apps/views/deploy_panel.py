"""The deploy panel between the request and the page: what was asked, what it means, and what stands in its way."""

import json
import re
from dataclasses import replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps import drafts
from apps.drafts import Draft
from apps.forms import DeployForm, VariableForms, YamlForm, draft_from, lines_read
from apps.models import App, Release
from apps.preflight import Finding, preflight
from apps.selectors.image_choice import ImageChoices, artifact_of, image_choices, repository_of
from apps.specification import Difference, Note, Specification, SpecificationError, differences, read_text, stored
from apps.views.deploy_folds import Folds
from apps.views.deploy_where import where_of
from apps.views.found import actor_of
from apps.views.overview import DEPLOYERS, Links
from core.access import check_any, visible
from core.errors import PortalError
from core.names import is_label
from core.rows import new_id
from tenants.models import Project

FORM, YAML, DEPLOY = "form", "yaml", "deploy"
TO, OF = "to:", "of:"
FALLBACK_SERVICE = "app"
VARIABLE = re.compile(r"variables-(\d{1,4})-name\Z")
MENDABLE = ("image", "name", "instances", "ports", "cpu", "memory", "health", "path", "command")
LARGEST_BASE = 512 * 1024


class Panel:
    """One request's deploy panel. Nothing typed is lost: whatever comes in goes out again, mended or not.

    `go` says which button sent it: deploy, yaml, form, row, search, check, "to:" and an environment's name, or
    "of:" and a service's.
    """

    def __init__(self, request: HttpRequest, project: Project) -> None:
        self.request, self.actor, self.links = request, actor_of(request), Links(project)
        check_any(self.actor, DEPLOYERS, project)
        self.posted = request.method == "POST"
        self.data: dict[str, str] = (request.POST if self.posted else request.GET).dict()
        self.go = self.data.get("go", "")
        environment = self.go.removeprefix(TO) if self.go.startswith(TO) else self.data.get("environment", "")
        self.where = where_of(self.actor, project, app=self.data.get("app", ""), environment=environment)
        self.mode = YAML if self.data.get("mode") == YAML else FORM
        self.key, self.note = self.data.get("key") or new_id().hex, self.data.get("note", "").strip()
        self.release: Release | None = self.where.release(self.data.get("release", ""))
        self.spec: Specification | None = None
        self.notes: tuple[Note, ...] = ()
        self.trouble: PortalError | None = None
        self._mend()
        self._begin()
        self._understand()
        self._change_mode()

    # --- what was asked ---------------------------------------------------------------------------------------

    def _mend(self) -> None:
        """A button of the preflight puts its values into the fields."""
        try:
            values = json.loads(self.data.get("mend", "null"))
        except ValueError:
            return
        if isinstance(values, dict):
            self.data |= {name: str(value) for name, value in values.items() if name in MENDABLE}

    def _begin(self) -> None:
        """The document the draft is laid over, the draft, and the name."""
        self.base = self._sent_base() if self.posted else self._first_base()
        self.service = self._service()
        self.draft = self._sent_draft() if self.posted else self._first_draft()
        self.name = self.data.get("name", "").strip()
        self._read_image()
        if self.where.new and self.base is None:
            self.service = self.name if is_label(self.name) else FALLBACK_SERVICE

    def _first_base(self) -> dict[str, Any] | None:
        return self.where.start_from(self.release).canonical() if self.release else None

    def _sent_base(self) -> dict[str, Any] | None:
        """What the panel was opened with comes back with it, and is believed as little as anything that is sent."""
        sent = self.data.get("base", "")
        if not sent or len(sent) > LARGEST_BASE:
            return None
        try:
            return stored(json.loads(sent)).canonical()
        except (ValueError, AttributeError, TypeError, SpecificationError):
            return self._first_base()

    def _service(self) -> str:
        names = list((self.base or {}).get("services", {}))
        asked = self.data.get("service", "")
        return asked if asked in names else next(iter(names), FALLBACK_SERVICE)

    def _first_draft(self) -> Draft:
        draft = drafts.draft_of(stored(self.base), self.service) if self.base else Draft()
        return replace(draft, image=self.data.get("image", "").strip() or draft.image)

    def _sent_draft(self) -> Draft:
        places = sorted(int(found[1]) for key in self.data if (found := VARIABLE.match(key)))
        pairs = [(self.data[f"variables-{n}-name"].strip(), self.data.get(f"variables-{n}-value", "")) for n in places]
        variables = {name: value for name, value in pairs if name} | dict(lines_read(self.data.get("lines", "")))
        draft = draft_from(self.data, variables.items())
        typed = self.data.get("search", "").strip()
        return replace(draft, image=typed) if not draft.image and self.go == DEPLOY and repository_of(typed) else draft

    def _read_image(self) -> None:
        """A newly chosen image fills what nobody has changed since the image before it."""
        self.search = self.data.get("search", repository_of(self.draft.image) if self.release else "")
        before, now = self.data.get("read_from", ""), self.draft.image
        if not self.where.new or not now or now == before:
            return
        tenant = self.links.of.tenant_id
        was = drafts.read_from(artifact_of(tenant, before) if before else None, Draft())
        reads = drafts.read_from(artifact_of(tenant, now), Draft())
        untouched = {
            key: getattr(reads, key)
            for key in ("instances", "ports", "health")
            if str(getattr(self.draft, key)) in ("", str(getattr(was, key)))
        }
        self.draft = replace(self.draft, **untouched)
        if self.name in ("", drafts.name_from(before) if before else ""):
            self.name = drafts.name_from(now)

    # --- what it means ----------------------------------------------------------------------------------------

    def _understand(self) -> None:
        self.form = self._bound_form()
        self.yaml_form = YamlForm(self._yaml_fields(self.data.get("yaml", "")), new=self.where.new)
        if self.mode == YAML and "yaml" in self.data:
            self._understand_text()
        else:
            self._understand_fields()
        if self.go != DEPLOY:
            self.form.forget_unfilled()

    def _bound_form(self) -> DeployForm:
        fields = {name: getattr(self.draft, name) for name in MENDABLE if name != "name"}
        texts = {"name": self.name, "note": self.note, "lines": ""}
        return DeployForm(fields | texts, new=self.where.new, kept=self.draft.health == drafts.KEPT)

    def _yaml_fields(self, text: str) -> dict[str, str]:
        return {"name": self.name, "yaml": text, "note": self.note}

    def _understand_fields(self) -> None:
        fine = self.form.is_valid()
        if not self.draft.image:
            return
        try:
            document = drafts.laid_over(self.draft, base=self.base, service=self.service)
            spec = drafts.specification_from(document)
        except SpecificationError as error:
            self.form.place(error.errors)
        else:
            self.spec = spec if fine or set(self.form.errors) <= {"name", "note"} else None

    def _understand_text(self) -> None:
        self.yaml_form.is_valid()
        try:
            reading = read_text(self.data["yaml"], mode="import")
        except SpecificationError as error:
            self.yaml_form.place(error.errors)
        else:
            self.spec, self.notes = reading.specification, reading.notes

    def _change_mode(self) -> None:
        """Only what is understood can be shown in the other way; else it stays, with its errors."""
        wanted = self.go if self.go in (FORM, YAML) else self.mode
        entering = wanted == YAML and (self.mode != YAML or "yaml" not in self.data)
        if entering and self.spec is not None:
            self.yaml_form = YamlForm(self._yaml_fields(self.spec.to_yaml()), new=self.where.new)
            self.mode = YAML
        elif entering:
            self.mode = YAML if not self.posted else FORM
        elif wanted == FORM and self.spec is not None and (self.mode == YAML or self.go.startswith(OF)):
            self._show_fields(self.spec)

    def _show_fields(self, spec: Specification) -> None:
        self.mode, self.base = FORM, spec.canonical()
        self.data["service"] = self.go.removeprefix(OF) if self.go.startswith(OF) else self.service
        self.service = self._service()
        self.draft = drafts.draft_of(spec, self.service)
        self.form = self._bound_form()
        self.form.forget_unfilled()

    # --- what stands in its way -------------------------------------------------------------------------------

    @cached_property
    def findings(self) -> list[Finding]:
        return preflight(self.actor, self.where.place, self.spec) if self.spec else []

    @cached_property
    def lines(self) -> list[SimpleNamespace]:
        """What is wrong with the form, what the preflight found, and a name that is taken, each with its way out."""
        found = [_line(one.level, one.message, one.hint, _fix(one)) for one in self.findings]
        errors = [] if self.go == DEPLOY else self.shown_form.errors.items()
        labels = {name: str(field.label) for name, field in self.shown_form.fields.items()}
        found += [
            _line("bad", f"{labels.get(name, '')} · {text}".strip(" ·")) for name, texts in errors for text in texts
        ]
        return found + ([self._taken] if self.taken else [])

    @cached_property
    def taken(self) -> bool:
        """Whether another app has the name; told before somebody runs into it."""
        names = App.objects.filter(project=self.links.of, deleted_at__isnull=True, name=self.name)
        return self.where.new and bool(self.name) and visible(self.actor, names).exists()

    @property
    def _app_url(self) -> str:
        """The panel of the app that has the name."""
        return self.links.deploy(app=self.name, image=self.draft.image)

    @property
    def _taken(self) -> SimpleNamespace:
        fix = SimpleNamespace(label=_("Deploy to %(app)s") % {"app": self.name}, url=self._app_url)
        text = _("There is an app called %(app)s already.") % {"app": self.name}
        return _line("bad", text, _("Deploy a new release of it, or take another name."), fix)

    @property
    def blocked(self) -> bool:
        return any(one.kind == "bad" for one in self.lines)

    @property
    def why_not(self) -> str:
        """Why the button does nothing; empty where it deploys."""
        if self.where.why_not:
            return self.where.why_not
        if self.where.active:
            return _("Wait until deployment %(number)s has ended, or cancel it.") % {"number": self.where.active.number}
        return _("Mend the red lines first.") if self.blocked else ""

    @property
    def is_yaml(self) -> bool:
        return self.mode == YAML

    @property
    def is_form(self) -> bool:
        return self.mode == FORM

    @property
    def shown_form(self) -> DeployForm | YamlForm:
        return self.yaml_form if self.mode == YAML else self.form

    @property
    def active_url(self) -> str:
        active = self.where.active
        return self.links.deployment(self.where.place.app.name, active.number) if active else ""

    @property
    def way_out(self) -> SimpleNamespace | None:
        """The link that leads out of the trouble."""
        code = self.trouble.code if self.trouble else ""
        if code == "name_taken":
            return SimpleNamespace(url=self._app_url, label=_("Deploy to %(app)s") % {"app": self.name})
        if code == "operation_active" and self.where.active:
            return SimpleNamespace(url=self.active_url, label=_("Watch it"))
        return None

    # --- what the page shows ----------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        return _("Deploy %(app)s") % {"app": self.where.app.name} if self.where.app else _("Deploy")

    @property
    def button(self) -> str:
        return _("Deploy to %(environment)s") % {"environment": self.where.environment.name}

    @property
    def same_release(self) -> Release | None:
        """An earlier release left as it is, which does not run here: it is deployed itself, not a copy of it."""
        earlier = self.release if self.release != self.where.place.release else None
        return earlier if earlier and self.spec and earlier.spec_hash == self.spec.spec_hash else None

    @property
    def promise(self) -> str:
        """What the button will do."""
        here = self.where.place.release
        words = {
            "app": self.where.app.name if self.where.app else self.name or _("the app"),
            "environment": self.where.environment.name,
            "release": self.same_release.number if self.same_release else self.where.next_number,
            "before": here.number if here else "",
        }
        if self.where.new:
            return _("Makes %(app)s with release 1 and runs it in %(environment)s.") % words
        if self.same_release:
            text = _("Puts release %(release)s of %(app)s into %(environment)s, with the same images.") % words
        else:
            text = _("Makes release %(release)s of %(app)s.") % words
        return text + (" " + _("Release %(before)s keeps serving while it rolls.") % words if here else "")

    @cached_property
    def changes(self) -> list[Difference]:
        """Against what runs here."""
        here = self.where.place.release
        return differences(self.where.start_from(here), self.spec) if here and self.spec else []

    @cached_property
    def images(self) -> ImageChoices:
        return image_choices(self.links.of.tenant_id, search=self.search, chosen=self.draft.image)

    @property
    def variables(self) -> Any:
        rows = [{"name": name, "value": value} for name, value in self.draft.variables]
        return VariableForms(initial=rows, prefix="variables")

    @property
    def folds(self) -> Folds:
        return Folds(self.draft, self.form, frozenset({"variables"} if self.go == "row" else ()))

    @property
    def environments(self) -> list[dict[str, Any]]:
        here = self.where.environment
        return [{"environment": one, "chosen": one == here, "go": TO + one.name} for one in self.where.environments]

    @property
    def asked_release(self) -> str:
        return self.data.get("release", "")

    @property
    def services(self) -> list[dict[str, Any]]:
        """Which service the form is about, where there are several."""
        names = list((self.base or {}).get("services", {}))
        return [{"name": name, "chosen": name == self.service, "go": OF + name} for name in names if len(names) > 1]

    @property
    def kept_base(self) -> str:
        return json.dumps(self.base) if self.base else ""


def _line(kind: str, title: str, detail: str = "", fix: SimpleNamespace | None = None) -> SimpleNamespace:
    return SimpleNamespace(kind=kind, title=title, detail=detail, fix=fix)


def _fix(finding: Finding) -> SimpleNamespace | None:
    """The button of a line: puts the values of `mend` into the fields."""
    fitting = {name: value for name, value in finding.mend.items() if name in MENDABLE}
    if not fitting:
        return None
    shown = ", ".join(str(value) for value in fitting.values())
    label = _("Use %(value)s") % {"value": shown}
    return SimpleNamespace(label=label, url="", name="mend", value=json.dumps(fitting))
