"""What the tabs of a project's settings and those of its images share, and the form of a new project."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.models import Environment
from apps.projects import Stage
from apps.views.found import actor_of
from backends.models import Cluster
from core.access import Actor, may
from core.status import Status
from tenants import selectors
from tenants.models import Project

NOWHERE = ""
IMAGE_TABS = {  # whoever may see images may see them all
    "project_images": gettext_lazy("Repositories"),
    "promotion": gettext_lazy("Promotion"),
    "project_keeping": gettext_lazy("Keeping images"),
    "image_copies": gettext_lazy("Copied images"),
    "project_replication": gettext_lazy("Replication"),
    "project_registries": gettext_lazy("Other registries"),
}


@dataclass(frozen=True)
class ProjectFrame:
    """One project, and the tab that is looked at: of its settings, or of its images."""

    actor: Actor
    project: Project
    tab: str

    @property
    def names(self) -> dict[str, str]:
        return {"tenant": self.project.tenant.name, "project": self.project.name}

    def address(self, name: str, **more: object) -> str:
        return reverse(name, kwargs={**self.names, **more})

    @property
    def status(self) -> Status:
        return Status.of(self.project.state)

    @property
    def tabs(self) -> list[dict[str, Any]]:
        if self.tab in IMAGE_TABS:
            return image_tabs(self.project, self.tab)
        named = (
            ("project_settings", _("General"), True),
            ("project_tokens", _("Robots and tokens"), may(self.actor, "member.view", self.project)),
            ("project_webhooks", _("Webhooks"), may(self.actor, "project.manage", self.project)),
            ("project_lifecycle", _("Lifecycle"), True),
        )
        return [
            {"label": label, "url": self.address(name), "current": name == self.tab}
            for name, label, allowed in named
            if allowed
        ]

    @property
    def here(self) -> dict[str, Any]:
        """The present tab; empty on pages that belong to none of those this person sees."""
        return next((one for one in self.tabs if one["current"]), {})

    def context(self, **more: Any) -> dict[str, Any]:
        return {"page": self, "project": self.project, **more}


def image_tabs(project: Project, tab: str) -> list[dict[str, Any]]:
    names = {"tenant": project.tenant.name, "project": project.name}
    return [
        {"label": label, "url": reverse(name, kwargs=names), "current": name == tab}
        for name, label in IMAGE_TABS.items()
    ]


def project_frame(request: HttpRequest, tab: str, tenant: str, project: str) -> ProjectFrame:
    actor = actor_of(request)
    return ProjectFrame(actor, selectors.project(actor, tenant, project), tab)


class ClusterField(forms.ChoiceField):
    """One of the clusters that were offered, by its name."""

    def __init__(self, clusters: Sequence[Cluster], *, optional: bool = False, **more: Any) -> None:
        nowhere = [(NOWHERE, gettext_lazy("leave it out"))] if optional else []
        choices = [(row.name, row.title or row.name) for row in clusters] + nowhere
        super().__init__(choices=choices, required=not optional, **more)


class NewProjectForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=40,
        help_text=gettext_lazy("It stands in addresses and stays for life: small letters, digits and hyphens."),
        error_messages={"required": gettext_lazy("Name it.")},
    )  # fmt: skip
    title = forms.CharField(
        label=gettext_lazy("Title"), max_length=100, required=False, help_text=gettext_lazy("Free text for people.")
    )

    def __init__(self, data: Any = None, *, clusters: Sequence[Cluster]) -> None:
        super().__init__(data)
        self.clusters = {row.name: row for row in clusters}
        first = next(iter(self.clusters), NOWHERE)
        for stage in Environment.Stage:
            self.fields[stage.value] = ClusterField(clusters, optional=True, label=stage.label, initial=first)

    @property
    def stage_fields(self) -> list[forms.BoundField]:
        return [self[stage.value] for stage in Environment.Stage]

    @property
    def stages(self) -> list[Stage]:
        chosen = [(stage.value, self.cleaned_data[stage.value]) for stage in Environment.Stage]
        return [Stage(name=stage, stage=stage, cluster=self.clusters[cluster]) for stage, cluster in chosen if cluster]


class NewEnvironmentForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=40)
    stage = forms.ChoiceField(label=gettext_lazy("Stage"), choices=Environment.Stage.choices)

    def __init__(self, data: Any = None, *, clusters: Sequence[Cluster]) -> None:
        super().__init__(data)
        self.clusters = {row.name: row for row in clusters}
        self.fields["cluster"] = ClusterField(clusters, label=gettext_lazy("Cluster"))

    @property
    def asked(self) -> dict[str, Any]:
        return self.cleaned_data | {"cluster": self.clusters[self.cleaned_data["cluster"]]}
