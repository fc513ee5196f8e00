"""What the closed sections of the deploy form say they hold, and which of them open because something is wrong."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.drafts import COMMAND, HTTP, KEPT, NONE, TCP, Draft
from apps.forms import DeployForm
from core.wording import number


@dataclass(frozen=True)
class Fold:
    said: str
    opens: bool


@dataclass(frozen=True)
class Folds:
    draft: Draft
    form: DeployForm
    asked: frozenset[str] = frozenset()

    @property
    def run(self) -> Fold:
        count = str(self.draft.instances)
        shown = ngettext("%(count)s instance", "%(count)s instances", 1 if count == "1" else 2) % {"count": count}
        ports = self.draft.ports or _("no port")
        return Fold(f"{shown} · {ports}", self._wrong("instances", "ports"))

    @property
    def health(self) -> Fold:
        said = {
            HTTP: f"GET {self.draft.path or '/'}",
            TCP: _("port answers"),
            COMMAND: self.draft.command,
            NONE: _("none"),
            KEPT: _("as written in YAML"),
        }
        return Fold(said.get(self.draft.health, _("the image's own")), self._wrong("health", "path", "command"))

    @property
    def size(self) -> Fold:
        parts = [f"{self.draft.memory} MB"] if self.draft.memory else []
        if self.draft.cpu:
            parts.append(_("%(amount)s cores") % {"amount": self.draft.cpu})
        said = [" · ".join(parts) or _("no limit"), *([self.draft.storage] if self.draft.storage else [])]
        return Fold(" · ".join(said), self._wrong("memory", "cpu", "storage"))

    @property
    def variables(self) -> Fold:
        count = len(self.draft.variables)
        said = ngettext("%(count)s variable", "%(count)s variables", count) % {"count": number(count)}
        return Fold(said if count else _("none"), self._wrong("lines") or "variables" in self.asked)

    def _wrong(self, *names: str) -> bool:
        return any(name in self.form.errors for name in names)
