"""The deploy panel between the request and the page: what was asked, and what it means."""

import json
import re
from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps import drafts
from apps.drafts import Draft
from apps.forms import DeployForm, YamlForm, draft_from, lines_read
from apps.models import Release
from apps.preflight import mended
from apps.selectors.image_choice import artifact_of, repository_of
from apps.specification import (
    Note,
    Specification,
    SpecificationError,
    edited,
    read_text,
    rewritten,
    stored,
)
from apps.specification.pointing import with_value
from apps.views.deploy_import import TAKE, ImportStep, import_step
from apps.views.deploy_lines import SPEC
from apps.views.deploy_sent import read_sent
from apps.views.deploy_undo import steps_of, with_step
from apps.views.deploy_where import where_of
from apps.views.found import actor_of
from apps.views.overview import DEPLOYERS, Links
from core.access import check_any
from core.errors import FieldProblem
from core.names import is_label
from core.rows import new_id
from tenants.models import Project

FORM, YAML, IMPORT, DEPLOY = "form", "yaml", "import", "deploy"
BACK, UNDO = "back", "undo"
SEARCH, MORE = "search", "more:"
TO, OF = "to:", "of:"
FALLBACK_SERVICE = "app"
VARIABLE = re.compile(r"variables-(\d{1,4})-name\Z")
IN_DRAFT = ("image", "instances", "ports", "cpu", "memory", "storage", "health", "path", "command")
MENDABLE = (*IN_DRAFT, "name", "lines", "note")


class Asked:
    """What one request asks of the panel, and what that means. Nothing typed is lost: what comes in goes out again.

    `go` says which button sent it: deploy, yaml, form, row, search, check, undo, back (to the text as it was),
    import, see (what it becomes), take (it as the draft), "to:" and an environment's name, "of:" and a service's, or
    "more:" and how many images are to be listed.
    """

    def __init__(self, request: HttpRequest, project: Project) -> None:
        self.request, self.actor, self.links = request, actor_of(request), Links(project)
        check_any(self.actor, DEPLOYERS, project)
        self.posted = request.method == "POST"
        self.data: dict[str, str] = (request.POST if self.posted else request.GET).dict()
        self.go = self.data.get("go", "")
        self.mend = self._sent_mend()
        self.steps = self._sent_steps()
        environment = self.go.removeprefix(TO) if self.go.startswith(TO) else self.data.get("environment", "")
        self.where = where_of(self.actor, project, app=self.data.get("app", ""), environment=environment)
        self.mode = self.data["mode"] if self.data.get("mode") in (YAML, IMPORT) else FORM
        self.key, self.note = self.data.get("key") or new_id().hex, self.data.get("note", "").strip()
        self.release: Release | None = self.where.release(self.data.get("release", ""))
        self.spec: Specification | None = None
        self.notes: tuple[Note, ...] = ()
        self.problems: tuple[FieldProblem, ...] = ()
        self.importing: ImportStep | None = None
        self._begin()
        self._understand()
        self._put_mend()
        self._change_mode()

    # --- what was asked ---------------------------------------------------------------------------------------

    def _sent_mend(self) -> dict[str, Any]:
        """What a button of the preflight puts in: fields by their names, and values of the specification by path."""
        values = read_sent(self.data.get("mend", ""))
        return values if isinstance(values, dict) and self.posted else {}

    def _sent_steps(self) -> list[dict[str, str]]:
        """The steps that can be taken back, with the one that is taken now; taking one back begins with it."""
        steps = steps_of(self.data.get("undo", ""))
        if self.go == UNDO and steps:
            own = {name: self.data[name] for name in ("app", "key", "csrfmiddlewaretoken") if name in self.data}
            self.data = steps.pop() | own
        elif self.mend or self.go == BACK:
            steps = with_step(steps, self.data)
            fields = (*MENDABLE, "environment")
            self.data |= {name: str(value) for name, value in self.mend.items() if name in fields}
            self._choose_image()
        return steps

    def _choose_image(self) -> None:
        """A mend that names another image for the service on show is like choosing it: it fills in what it knows."""
        path = f"{SPEC}services.{self.data.get('service', '')}.image"
        if self.data.get("mode") == FORM and isinstance(self.mend.get(path), str):
            self.data["image"] = self.mend.pop(path)

    def _begin(self) -> None:
        """The document the draft is laid over, the draft, and the name."""
        self.base = self._sent_base() if self.posted else self._first_base()
        self.text = ""
        self.service = self._service()
        # only the form has the fields; the text and the import carry what they began with as the base
        self.draft = self._sent_draft() if self.posted and "instances" in self.data else self._first_draft()
        self.name = self.data.get("name", "").strip()
        self._read_image()
        if self.where.new and self.base is None:
            self.service = self.name if is_label(self.name) else FALLBACK_SERVICE

    def _first_base(self) -> dict[str, Any] | None:
        return self.where.start_from(self.release).canonical() if self.release else None

    def _sent_base(self) -> dict[str, Any] | None:
        """What the panel was opened with comes back with it, and is believed as little as anything that is sent."""
        sent = read_sent(self.data.get("base", ""))
        if sent is None:
            return None
        try:
            return stored(sent).canonical() if isinstance(sent, dict) else self._first_base()
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
        if not draft.image:  # no one can take a choice back: a list drawn anew may have lost which one it was
            draft = replace(draft, image=self.data.get("read_from", "").strip())
        typed = self.data.get("search", "").strip()
        return replace(draft, image=typed) if not draft.image and self.go == DEPLOY and repository_of(typed) else draft

    def _read_image(self) -> None:
        """A newly chosen image fills what nobody has changed since the image before it."""
        self.search = self.data.get("search", repository_of(self.draft.image) if self.release else "")
        before, now = self.data.get("read_from", ""), self.draft.image
        if not self.where.new or not now or now == before:
            return
        project = self.links.of
        was = drafts.read_from(artifact_of(project, before) if before else None, Draft())
        reads = drafts.read_from(artifact_of(project, now), Draft())
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
        text = self._text_from_before() if self.go == BACK else self.data.get("yaml", "")
        self.yaml_form = YamlForm(self._yaml_fields(text), new=self.where.new)
        if self.mode == IMPORT:
            self.importing = import_step(self.request, self.go)
        if self.mode == YAML and "yaml" in self.data:
            self._understand_text(text)
        else:
            self._understand_fields()
        if self.go != DEPLOY:
            self.form.forget_unfilled()

    def _bound_form(self) -> DeployForm:
        fields = {name: getattr(self.draft, name) for name in IN_DRAFT}
        texts = {"name": self.name, "note": self.note, "lines": ""}
        kept = self.draft.health == drafts.KEPT
        volumes = drafts.used_volumes((self.base or {}).get("services", {}).get(self.service) or {})
        return DeployForm(fields | texts, new=self.where.new, kept=kept, volumes=volumes)

    def _yaml_fields(self, text: str) -> dict[str, str]:
        return {"name": self.name, "yaml": text, "note": self.note}

    @property
    def document(self) -> dict[str, Any]:
        """What the fields make, whether it can be used or not."""
        return drafts.laid_over(self.draft, base=self.base, service=self.service)

    def _understand_fields(self) -> None:
        fine = self.form.is_valid()
        if not self.draft.image:
            return
        try:
            spec = drafts.specification_from(self.document)
        except SpecificationError as error:
            self.problems = error.errors
            self.form.place(error.errors)
        else:
            self.spec = spec if fine or set(self.form.errors) <= {"name", "note"} else None

    def _understand_text(self, text: str) -> None:
        self.text, self.spec, self.notes, self.problems = text, None, (), ()
        self.yaml_form = YamlForm(self._yaml_fields(text), new=self.where.new)
        self.yaml_form.is_valid()
        try:
            reading = read_text(text, mode="import")
        except SpecificationError as error:
            self.problems = error.errors
            self.yaml_form.place(error.errors)
        else:
            self.spec, self.notes = reading.specification, reading.notes

    def _text_from_before(self) -> str:
        """The text as the last form of it that could be used."""
        try:
            return drafts.specification_from(self.document).to_yaml() if self.draft.image else ""
        except SpecificationError:
            return stored(self.base).to_yaml() if self.base else ""

    def _put_mend(self) -> None:
        """Put a mend's values of the specification in, where it stands: in the text, or below the fields."""
        values = {path.removeprefix(SPEC): value for path, value in self.mend.items() if path.startswith(SPEC)}
        try:
            if values and self.mode == YAML:
                spec = mended(self.spec, self.mend) if self.spec else None
                self._understand_text(edited(self.text, spec) if spec else rewritten(self.text, values) or self.text)
            elif values:
                self._mend_fields(values)
        except (SpecificationError, ValueError):
            return  # what was sent is none of our mends: everything stays as it was

    def _mend_fields(self, values: dict[str, Any]) -> None:
        document = self.document
        for path, value in values.items():
            document = with_value(document, path, value)
        self.spec = drafts.specification_from(document)
        self.problems = ()
        self._show_fields(self.spec)

    def _change_mode(self) -> None:
        """Only what is understood can be shown in the other way; else it stays, with its errors."""
        wanted = self.go if self.go in (FORM, YAML, IMPORT) else self.mode
        entering = wanted == YAML and (self.mode != YAML or "yaml" not in self.data)
        if wanted == IMPORT:
            self._import()
        elif entering and self.spec is not None:
            self.text = edited(kept, self.spec) if (kept := self.data.get("text", "")) else self.spec.to_yaml()
            self.yaml_form = YamlForm(self._yaml_fields(self.text), new=self.where.new)
            self.mode, self.base = YAML, self.spec.canonical()
        elif entering:
            self.mode = YAML if not self.posted else FORM
        elif wanted == FORM and self.spec is not None and (self.mode == YAML or self.go.startswith(OF)):
            self._show_fields(self.spec)
        elif self.mode == IMPORT:
            self.mode = FORM

    def _import(self) -> None:
        """Into the import; and out of it again with a draft, once somebody takes it."""
        if self.mode != IMPORT and self.spec is not None:
            self.base = self.spec.canonical()
        self.mode = IMPORT
        self.importing = step = self.importing or import_step(self.request, self.go)
        if self.go != TAKE or step.found is None or step.specification is None:
            return
        self.data["left_out"] = json.dumps(step.found.left_out)
        self.data.pop("text", None)
        self.name = step.found.name or self.name or step.name
        self.note = self.note or _imported(step.found.speaks, step.found.left_out)
        self.spec = step.specification
        self._show_fields(self.spec)

    def _show_fields(self, spec: Specification) -> None:
        if self.mode == YAML:
            self.data["text"] = self.text
        self.mode, self.base = FORM, spec.canonical()
        self.data["service"] = self.go.removeprefix(OF) if self.go.startswith(OF) else self.service
        self.service = self._service()
        self.draft = drafts.draft_of(spec, self.service)
        self.form = self._bound_form()
        self.form.forget_unfilled()


def _imported(speaks: str, left_out: tuple[str, ...]) -> str:
    text = _("Imported from %(format)s") % {"format": speaks}
    more = "; " + _("left out: %(paths)s") % {"paths": ", ".join(left_out)} if left_out else ""
    return (text + more)[:200]
