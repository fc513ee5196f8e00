"""What is wrong with what is to be built, in words, with the next step."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.errors import Text

_PACK = _("Pack the sources anew, without it.")
_SMALLER = _("Leave out what the image does not need: a .dockerignore says what.")
_MEND = _("Change that line of the Dockerfile and build again.")
_AGAIN = _("Build again; if it stays so, an operator finds the cause in the log of the worker.")

# Code: sentence, next step.
PROBLEMS: dict[str, tuple[Promise, Promise]] = {
    "source_path": (_("The sources hold a path or a link that leads out of them: %(path)s"), _PACK),
    "source_kind": (_("%(path)s in the sources is no file, no folder and no link."), _PACK),
    "source_twice": (_("%(path)s is in the sources more than once, or has a name that is taken."), _PACK),
    "source_name": (_("A name in the sources is longer than any file needs."), _PACK),
    "source_many": (_("There are more than %(most)s files in the sources."), _SMALLER),
    "source_large": (_("Unpacked, the sources are larger than the %(most)s bytes that a build may have."), _SMALLER),
    "source_ratio": (_("Unpacked, the sources are more than %(most)s times as large as they came."), _PACK),
    "source_packed": (
        _("The sources are packed with %(packing)s, which Berth does not read."),
        _("Pack them as .tar, .tar.gz or .zip."),
    ),
    "source_locked": (_("%(path)s in the sources is locked with a password."), _PACK),
    "source_unreadable": (_("The sources cannot be read: the archive is damaged or cut off."), _PACK),
    "source_no_recipe": (
        _("There is no file %(path)s in the sources."),
        _("Say where the Dockerfile lies, from the top of the archive or repository."),
    ),
    "source_large_text": (
        _("%(path)s is no text, or longer than %(most)s bytes."),
        _("It has to be plain text in UTF-8."),
    ),
    "source_memory": (_("Going through the sources took more than %(most)s bytes of memory."), _SMALLER),
    "source_ignored": (_("A pattern in .dockerignore is not understood."), _("Change it and build again.")),
    "source_no_room": (
        _("There is no room for the sources on the disk of Berth."),
        _("An operator has to make room; then build again."),
    ),
    "source_gone": (_("What was uploaded is not there any more."), _("Upload the sources once more.")),
    "source_broke_off": (_("Going through the sources broke off, or took too long."), _AGAIN),
    "git_refused": (
        _("The git address gives nothing: %(said)s"),
        _("Check the address, the branch and, where it asks for them, user and password."),
    ),
    "git_large": (_("What lies there is larger than the %(most)s bytes that sources may have."), _SMALLER),
    "git_slow": (_("It took longer than %(most)s seconds to come from there."), _("Try again later.")),
    "git_missing": (
        _("The program git is not installed where the worker runs."),
        _("An operator installs the package git; sources may be uploaded meanwhile."),
    ),
    "recipe_no_from": (_("Line %(line)s comes before any FROM."), _MEND),
    "recipe_from": (_("Line %(line)s: FROM takes an image, and AS with a new name after it, nothing else."), _MEND),
    "recipe_image": (_("Line %(line)s: “%(image)s” is not the name of an image."), _MEND),
    "recipe_argument": (_("Line %(line)s: this is not the name of a build argument."), _MEND),
    "recipe_word": (_("Line %(line)s: “%(word)s” is no instruction that the builder knows."), _MEND),
    "recipe_flag": (_("Line %(line)s: the builder does not know “%(word)s”."), _MEND),
    "recipe_escape": (_("Line %(line)s: lines go on after a backslash here, and after nothing else."), _MEND),
    "recipe_here": (_("Line %(line)s: the builder does not read texts that follow an instruction (<<)."), _MEND),
    "recipe_address": (
        _("Line %(line)s: ADD takes files of the sources here, no addresses, variables or quotes."),
        _("Put the file among the sources, or fetch it in a RUN where the project allows builds the network."),
    ),
    "recipe_label": (
        _("Line %(line)s: the names of labels hold no variables here, and none begins with build.berth."),
        _MEND,
    ),
    "recipe_trigger_own": (_("Line %(line)s: ONBUILD may not lead to another image."), _MEND),
    "recipe_trigger": (
        _("The image %(image)s adds an instruction that is not allowed here: %(said)s"),
        _("Build upon another image."),
    ),
    "recipe_large": (_("The Dockerfile is longer than a build may have (%(most)s)."), _("Make it shorter.")),
    "build_base_denied": (
        _("Line %(line)s: this project may not build upon %(image)s."),
        _("Build upon images of this project, images that are offered to it, or of a public registry that is allowed."),
    ),
    "build_base_elsewhere": (
        _("Line %(line)s: %(image)s lies only on another cluster."),
        _("Push it to the registry, or build upon another image."),
    ),
    "build_base_away": (
        _("Line %(line)s: the registry of %(image)s does not answer."),
        _("Try again later, or build upon an image that was copied into the registry here."),
    ),
    "build_no_builder": (
        _("Nowhere are images built any more."),
        _("An operator allows it on a cluster that can."),
    ),
    "build_failed": (
        _("The build failed: %(said)s"),
        _("The log says what came before it."),
    ),
    "build_slow": (_("The build took longer than the %(most)s seconds it may take."), _("Make it do less at a time.")),
    "build_large": (
        _("The build wrote more than the %(most)s bytes it may write in a step."),
        _("Leave out what the image does not need."),
    ),
    "build_broke_off": (_("The build broke off %(times)s times."), _AGAIN),
    "build_push_refused": (
        _("The registry did not take the image: %(said)s"),
        _("Do what it says and build again; where it says nothing of that, an operator sees the log of the registry."),
    ),
    "build_project_closed": (
        _("The project was suspended or archived before its image could be put into the registry."),
        _("Resume or restore the project in its settings, and build again."),
    ),
}


def sentence(code: str, params: Mapping[str, Any]) -> str:
    found = PROBLEMS.get(code)
    return str(found[0]) % params if found else ""


def hint(code: str) -> str:
    found = PROBLEMS.get(code)
    return str(found[1]) if found else ""


def sentences() -> dict[str, Text]:
    """For the events of operations."""
    return {code: pair[0] for code, pair in PROBLEMS.items()}
