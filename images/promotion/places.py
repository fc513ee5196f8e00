"""Where in the registry lies what is approved for a stage: one repository for each stage of each project.

No tenant has a dot in its name, so nobody's own images are ever called so; and a project's id is nobody else's later.
"""

import re
import uuid

from images.promotion.models import Stage

FORM = re.compile(rf"stage\.(?:{'|'.join(Stage.values)})/[0-9a-f]{{32}}\Z", re.ASCII)


def path_of(project: uuid.UUID, stage: str) -> str:
    return f"stage.{stage}/{project.hex}"


def is_place(path: str) -> bool:
    """Whether a repository is one of these, of any project."""
    return bool(FORM.match(path))
