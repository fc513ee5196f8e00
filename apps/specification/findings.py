"""What an import gathers on its way."""

from dataclasses import dataclass, field

from apps.specification.problems import Note, Problem


@dataclass
class Findings:
    notes: list[Note] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
