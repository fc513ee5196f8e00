"""docs/benchmarks.md: written whole, or with some of its sections measured anew."""

import re
from collections.abc import Sequence

from benchmarks.result import Line, Section, over_budget

HEAD = """# Benchmarks

Written by `make bench`; do not edit. Each budget was set before anything was measured. The last column says whether it
was kept here; what was not stands below with its cause. Run it on your own machine: the ratios carry over, the
milliseconds do not.

"""
MACHINE, OVER = "Machine", "Over budget"
PART = re.compile(r"^## (.+)\n((?:(?!## ).*\n?)*)", re.MULTILINE)
ROW = re.compile(r"^\| (.+?) \| (.+?) \|", re.MULTILINE)


def note(sections: Sequence[Section], machine: str, *, minutes: float) -> str:
    parts = [HEAD, f"## {MACHINE}\n{machine}\n- it took {minutes:.0f} minutes\n\n"]
    parts += [section.markdown() + "\n" for section in sections]
    parts += [f"## {OVER}\n", "\n".join(map(cause, over_budget(sections))) or "Nothing.", "\n"]
    return "".join(parts)


def cause(line: Line) -> str:
    return f"- {line.what}: {line.measured} (budget {line.budget}). {line.cause.capitalize()}."


def with_anew(text: str, sections: Sequence[Section], *, load: str, minutes: float) -> str:
    """A note with these sections in the place of those of the same title, or behind the others; it says so itself."""
    kept = {title: body.strip("\n") for title, body in PART.findall(text)}
    machine, over = kept.pop(MACHINE).splitlines(), kept.pop(OVER).splitlines()
    titles = ", ".join(section.title for section in sections)
    machine = [line for line in machine if not line.startswith(f"- {titles}: ")]
    machine.append(f"- {titles}: in a run of their own of {minutes:.0f} minutes, load averages when it began {load}")
    stand = tuple(
        f"- {what}: {measured} (budget "
        for title, body in kept.items()
        if title not in {section.title for section in sections}
        for what, measured in ROW.findall(body)
    )
    over = [line for line in over if line.startswith(stand)]
    over += map(cause, over_budget(sections))
    kept |= {section.title: section.markdown().partition("\n")[2].strip("\n") for section in sections}
    whole = {MACHINE: "\n".join(machine), **kept, OVER: "\n".join(over) or "Nothing."}
    return HEAD + "\n\n".join(f"## {title}\n{body}" for title, body in whole.items()) + "\n"
