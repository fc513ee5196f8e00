"""What the operations that keep house say."""

from django.utils.translation import gettext_lazy as _

from operations.registry import register_words

register_words(
    {
        "images_looking": _("Looking at which images go"),
        "images_removed": _("%(done)s of %(count)s images removed"),
        "registry_away": _("The registry does not answer; trying again"),
        "registry_closing": _("The registry takes nothing new from now on; pulling goes on"),
        "registry_waiting": _("Waiting for pushes that are under way"),
        "registry_collecting": _("Taking out what no image names any more"),
        "registry_collected": _("%(freed)s freed: %(layers)s layers and manifests; %(left)s are left"),
        "registry_busy": _("The registry is being tidied up already, or cannot be tidied up from here."),
        "registry_gateless": _(
            "No gate of Berth’s stands in front of the registry, so pushes cannot be kept away while it is tidied up."
        ),
        "registry_not_collected": _("Tidying up the registry ended early (%(said)s). Nothing that has a name is lost."),
    }
)
