"""How much a scan may take: of the image, and of the machine."""

from dataclasses import dataclass

from images.scanning.problems import ScanProblem

MIB = 2**20
GIB = 2**30


@dataclass(frozen=True)
class Limits:
    """The defaults hold the largest images that people really run."""

    # of the image
    layers: int = 256
    files: int = 1_500_000  # in all layers together
    unpacked_bytes: int = 24 * GIB  # all layers together
    ratio: int = 250  # unpacked : packed of one layer, once it is past `ratio_from_bytes`
    ratio_from_bytes: int = 64 * MIB
    document_bytes: int = 8 * MIB  # a manifest, a configuration
    list_bytes: int = 64 * MIB  # what a package manager says it has installed
    database_bytes: int = 256 * MIB  # the same, as a database
    archive_bytes: int = 256 * MIB  # a Java archive
    packages: int = 200_000
    named: int = 1000  # setuid files, secrets
    # of the machine
    cpu_seconds: int = 600
    wall_seconds: int = 900
    memory_bytes: int = 1536 * MIB
    answer_bytes: int = 256 * MIB


class Budget:
    """What all layers of one image have used so far."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.unpacked = 0
        self.files = 0

    def unpack(self, count: int, *, layer: int) -> None:
        self.unpacked += count
        if self.unpacked > self.limits.unpacked_bytes:
            raise ScanProblem("too_large", layer=layer, most=self.limits.unpacked_bytes)

    def file(self, *, layer: int) -> None:
        self.files += 1
        if self.files > self.limits.files:
            raise ScanProblem("too_many_files", layer=layer, most=self.limits.files)
