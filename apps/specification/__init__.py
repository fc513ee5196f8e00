"""The application specification: read it, build from it, compare it, write it.

Everything outside imports from here.
"""

from apps.specification.builder import BuildContext, build, layers
from apps.specification.changes import Change, changes
from apps.specification.diff import Difference, differences, unified_lines
from apps.specification.editing import edited, rewritten
from apps.specification.exporting import exported
from apps.specification.foreign import ForeignImport, import_of
from apps.specification.image_reference import BadImageReference, ImageReference, is_pinned
from apps.specification.image_reference import parse as parse_image
from apps.specification.importing import Import
from apps.specification.making import from_image, stored, with_image
from apps.specification.model import Specification
from apps.specification.positions import Positions, Spot, positions
from apps.specification.problems import Note, Problem, SpecificationError
from apps.specification.reading import Mode, Reading, plain_data, read_data, read_text
from apps.specification.remedies import Remedy, remedy
from apps.specification.scalars import memory_text as size_text
from apps.specification.schema import app_schema
from apps.specification.x_berth import HEALTH_HELP
from apps.specification.yaml_writing import as_yaml

__all__ = [
    "HEALTH_HELP",
    "BadImageReference",
    "BuildContext",
    "Change",
    "Difference",
    "ImageReference",
    "ForeignImport",
    "Import",
    "Mode",
    "Note",
    "Positions",
    "Problem",
    "Reading",
    "Remedy",
    "Specification",
    "SpecificationError",
    "Spot",
    "app_schema",
    "as_yaml",
    "build",
    "changes",
    "differences",
    "edited",
    "exported",
    "from_image",
    "import_of",
    "is_pinned",
    "layers",
    "parse_image",
    "plain_data",
    "positions",
    "read_data",
    "read_text",
    "remedy",
    "rewritten",
    "size_text",
    "stored",
    "unified_lines",
    "with_image",
]
