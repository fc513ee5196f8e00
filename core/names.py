"""Names that people give and addresses carry: DNS labels, fixed for life."""

import re

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

LABEL = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?\Z")
RULE = _("Use 1 to 40 small letters, digits and hyphens, beginning with a letter, not ending with a hyphen.")

label_validators = [RegexValidator(rf"^(?:{LABEL.pattern})", RULE, code="bad_name")]


def is_label(text: str) -> bool:
    return LABEL.match(text) is not None
