"""The deploy panel as the page shows it: what stands in the way, what changes, what the button will do."""

import json
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from apps import drafts
from apps.drafts import Draft
from apps.forms import DeployForm, VariableForms, YamlForm
from apps.models import App, Release
from apps.preflight import Finding, preflight
from apps.selectors.image_choice import ImageChoices, artifact_of, image_choices
from apps.selectors.newer_images import Newer, newer_there
from apps.specification import (
    Change,
    Positions,
    SpecificationError,
    changes,
    plain_data,
    positions,
    stored,
    unified_lines,
)
from apps.views import deploy_promise
from apps.views.deploy_asked import DEPLOY, FORM, IMPORT, MORE, OF, SEARCH, TO, YAML, Asked
from apps.views.deploy_folds import Folds
from apps.views.deploy_import import paths_of
from apps.views.deploy_lines import Fix, FormTrouble, Line, TextTrouble, found_line
from apps.views.deploy_sent import LARGEST, read_sent
from backends.formats import FORMATS
from core.access import visible
from core.errors import PortalError


def _count(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else 0


class Panel:
    """`trouble`: what the command answered when it was tried."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.trouble: PortalError | None = None

    # --- what stands in its way -------------------------------------------------------------------------------

    @cached_property
    def findings(self) -> list[Finding]:
        return preflight(self.asked.actor, self.asked.where.place, self.asked.spec) if self.asked.spec else []

    @cached_property
    def lines(self) -> list[Line]:
        """What is wrong with what was typed, what the preflight found, a name that is taken: each with its way out."""
        spots = self.spots if self.asked.mode == YAML else None
        found = [*self._wrong(), *(found_line(one, self.asked.links.deploy(), spots) for one in self.findings)]
        return found + ([self._taken] if self.taken else [])

    def _wrong(self) -> list[Line]:
        asked, address = self.asked, self.asked.links.deploy()
        if asked.mode == IMPORT:
            return []
        if asked.mode == YAML:
            text = TextTrouble(asked.problems, self._text_data, self.spots, address)
            name = FormTrouble(asked.yaml_form, asked.draft, asked.draft, (), None, address)
            return [*text.lines(), *(line for field, line in name.named_lines() if field == "name")]
        if asked.go == DEPLOY:
            return []  # the summary above the form says it
        before = drafts.draft_of(stored(asked.base), asked.service) if asked.base else self._from_image
        document = asked.document if asked.draft.image else None
        return list(FormTrouble(asked.form, asked.draft, before, asked.problems, document, address).lines())

    @property
    def _from_image(self) -> Draft:
        image = self.asked.draft.image
        artifact = artifact_of(self.asked.links.of, image) if image else None
        return drafts.read_from(artifact, Draft())

    @cached_property
    def spots(self) -> Positions:
        """Where in the text of the YAML tab each value stands."""
        return positions(self.asked.text)

    @property
    def _text_data(self) -> object:
        try:
            return plain_data(self.asked.text)
        except SpecificationError:
            return None

    @property
    def noted(self) -> list[Line]:
        """What becomes other than it is written, at its line."""
        return [Line("info", str(one.message), spot=self.spots.of(one.path)) for one in self.asked.notes]

    @property
    def marks(self) -> list[Line]:
        """What the editor shows at its place in the text."""
        return [one for one in (*self.lines, *self.noted) if one.spot and one.kind != "ok"]

    @cached_property
    def taken(self) -> bool:
        """Whether another app has the name; told before somebody runs into it."""
        names = App.objects.filter(project=self.asked.links.of, deleted_at__isnull=True, name=self.asked.name)
        return self.asked.where.new and bool(self.asked.name) and visible(self.asked.actor, names).exists()

    @property
    def _app_url(self) -> str:
        """The panel of the app that has the name."""
        return self.asked.links.deploy(app=self.asked.name, image=self.asked.draft.image)

    @property
    def _taken(self) -> Line:
        fix = Fix(_("Deploy to %(app)s") % {"app": self.asked.name}, url=self._app_url)
        text = _("There is an app called %(app)s already.") % {"app": self.asked.name}
        return Line("bad", text, _("Deploy a new release of it, or take another name."), fix)

    @property
    def blocked(self) -> bool:
        return any(one.kind == "bad" for one in self.lines)

    @property
    def why_not(self) -> str:
        return deploy_promise.why_not(self.asked.where, blocked=self.blocked)

    @property
    def is_yaml(self) -> bool:
        return self.asked.mode == YAML

    @property
    def is_form(self) -> bool:
        return self.asked.mode == FORM

    @property
    def import_formats(self) -> str:
        return ", ".join(one.label for one in FORMATS)

    @property
    def is_import(self) -> bool:
        return self.asked.mode == IMPORT

    @property
    def shown_form(self) -> DeployForm | YamlForm:
        return self.asked.yaml_form if self.asked.mode == YAML else self.asked.form

    @property
    def active_url(self) -> str:
        active = self.asked.where.active
        return self.asked.links.deployment(self.asked.where.place.app.name, active.number) if active else ""

    @property
    def way_out(self) -> Fix | None:
        """The link that leads out of the trouble."""
        code = self.trouble.code if self.trouble else ""
        if code == "name_taken":
            return Fix(_("Deploy to %(app)s") % {"app": self.asked.name}, url=self._app_url)
        if code == "operation_active" and self.asked.where.active:
            return Fix(_("Watch it"), url=self.active_url)
        return None

    # --- what the page shows ----------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        return _("Deploy %(app)s") % {"app": self.asked.where.app.name} if self.asked.where.app else _("Deploy")

    @property
    def button(self) -> str:
        return _("Deploy to %(environment)s") % {"environment": self.asked.where.environment.name}

    @property
    def same_release(self) -> Release | None:
        return deploy_promise.same_release(self.asked.where, self.asked.release, self.asked.spec)

    @property
    def promise(self) -> str:
        return deploy_promise.promise(self.asked.where, name=self.asked.name, again=self.same_release)

    @cached_property
    def changes(self) -> list[Change] | None:
        """Against what runs here; None where nothing does, or nothing can be said yet."""
        here = self.asked.where.place.release
        return changes(self.asked.where.start_from(here), self.asked.spec) if here and self.asked.spec else None

    @property
    def difference(self) -> list[dict[str, str]]:
        """The same as lines of text."""
        here, spec = self.asked.where.place.release, self.asked.spec
        if not here or not spec:
            return []
        lines = unified_lines(self.asked.where.start_from(here), spec, before_name="", after_name="", context=2)[2:]
        signs = {"-": ("is-gone", "\N{MINUS SIGN}"), "+": ("is-new", "+"), "@": ("is-where", " ")}
        shown = [(signs.get(one[:1], ("", " ")), "…" if one[:1] == "@" else one[1:]) for one in lines]
        return [{"css": css, "sign": sign, "text": text} for (css, sign), text in shown]

    @property
    def left_out(self) -> tuple[str, ...]:
        """Paths that an import did without, for the record."""
        sent = read_sent(self.asked.data.get("left_out", ""))
        return paths_of(sent) if isinstance(sent, list) else ()

    @property
    def kept_text(self) -> str:
        """The text of the YAML tab while the form is shown, for its comments."""
        text = self.asked.data.get("text", "")
        return text if self.asked.mode == FORM and len(text) <= LARGEST else ""

    @property
    def kept_steps(self) -> str:
        return json.dumps(self.asked.steps) if self.asked.steps else ""

    @cached_property
    def images(self) -> ImageChoices:
        asked = self.asked
        kept = "" if asked.go == SEARCH else asked.data.get("listed", "")
        most = asked.go.removeprefix(MORE) if asked.go.startswith(MORE) else kept
        own = [one for one in self.newer if one.service == asked.service]
        return image_choices(
            asked.actor, asked.links.of, search=asked.search, chosen=asked.draft.image, newer=own, most=_count(most)
        )

    @cached_property
    def newer(self) -> list[Newer]:
        """What is newer than what runs here."""
        return [] if self.asked.where.new else newer_there(self.asked.actor, self.asked.where.place)

    @property
    def pushed_anew(self) -> list[Newer]:
        """Tags that stay as they are written and mean other images now: a release resolves them anew."""
        spec = self.asked.spec
        written = {name: str(one.image) for name, one in spec.services.items()} if spec else {}
        return [one for one in self.newer if one.pushed and written.get(one.service) == one.reference]

    @property
    def variables(self) -> Any:
        rows = [{"name": name, "value": value} for name, value in self.asked.draft.variables]
        return VariableForms(initial=rows, prefix="variables")

    @property
    def folds(self) -> Folds:
        return Folds(self.asked.draft, self.asked.form, frozenset({"variables"} if self.asked.go == "row" else ()))

    @property
    def environments(self) -> list[dict[str, Any]]:
        where = self.asked.where
        here = where.environment
        return [{"environment": one, "chosen": one == here, "go": TO + one.name} for one in where.environments]

    @property
    def asked_release(self) -> str:
        return self.asked.data.get("release", "")

    @property
    def services(self) -> list[dict[str, Any]]:
        """Which service the form is about, where there are several."""
        names, here = list((self.asked.base or {}).get("services", {})), self.asked.service
        return [{"name": name, "chosen": name == here, "go": OF + name} for name in names if len(names) > 1]

    @property
    def kept_base(self) -> str:
        return json.dumps(self.asked.base) if self.asked.base else ""
