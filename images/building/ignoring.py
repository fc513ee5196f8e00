"""What a .dockerignore leaves out. Later patterns win, and what lies in a folder that is out is out with it."""

import posixpath
import re

MOST_PATTERNS = 1000
_PARTS = re.compile(r"\*\*/?|\*|\?|\[[^\]/]+\]|\\.|[^*?\[\\]+|\[|\\", re.DOTALL)


class Ignored:
    def __init__(self, text: str, *, keep: str) -> None:
        """`keep`: a file that is wanted whatever stands there."""
        self._keep = keep
        self._patterns: list[tuple[bool, re.Pattern[str]]] = []
        for line in text.removeprefix("\ufeff").splitlines()[:MOST_PATTERNS]:
            told = line.strip()
            if not told or line.startswith("#"):
                continue
            lets_in = told.startswith("!")
            plain = posixpath.normpath(told.removeprefix("!").strip()).lstrip("/")
            if plain not in ("", "."):
                self._patterns.append((lets_in, re.compile(_expression(plain))))

    def is_out(self, path: str) -> bool:
        if path == self._keep:
            return False
        out = False
        parts = path.split("/")
        above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        for lets_in, pattern in self._patterns:
            if out == lets_in and any(pattern.match(one) for one in above):
                out = not lets_in
        return out


def _expression(pattern: str) -> str:
    found = []
    for part in _PARTS.findall(pattern):
        if part == "**/":
            found.append("(?:[^/]+/)*")
        elif part == "**":
            found.append(".*")
        elif part == "*":
            found.append("[^/]*")
        elif part == "?":
            found.append("[^/]")
        elif part.startswith("[") and len(part) > 2:
            inner = part[1:-1].replace("\\", "\\\\").replace("[", "\\[")
            found.append(f"[{inner}]")
        elif part.startswith("\\") and len(part) == 2:
            found.append(re.escape(part[1]))
        else:
            found.append(re.escape(part))
    return f"(?s:{''.join(found)})\\Z"
