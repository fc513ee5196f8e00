"""Texts for libraries that want the path of a file."""

import os


def in_memory(name: str, text: str) -> str:
    """A path whose content never touches a disk; it lives as long as this process."""
    file = os.memfd_create(name)
    os.write(file, text.encode())
    return f"/proc/self/fd/{file}"
