"""Kinds of packages that are not read. They are counted, for what nobody looked at is not clean."""

import re

SIGNS: dict[str, re.Pattern[str]] = {
    "RubyGems": re.compile(r"/specifications/(?:default/)?[^/]+\.gemspec\Z"),
    "Composer": re.compile(r"(?:^|/)vendor/composer/installed\.json\Z"),
    "NuGet": re.compile(r"\.deps\.json\Z"),
    "Conda": re.compile(r"(?:^|/)conda-meta/[^/]+\.json\Z"),
    "Pacman": re.compile(r"^var/lib/pacman/local/[^/]+/desc\Z"),
}
ENDINGS = (".gemspec", ".json", "/desc")


def kind(path: str) -> str:
    if not path.endswith(ENDINGS):
        return ""
    return next((name for name, sign in SIGNS.items() if sign.search(path)), "")
