"""Texts for libraries that want the path of a file."""

import hashlib
import os
import threading

_kept: dict[bytes, str] = {}
_lock = threading.Lock()


def in_memory(name: str, text: str) -> str:
    """A path whose content never touches a disk; it lives as long as this process, once for the same text."""
    key = hashlib.sha256(f"{name}\0{text}".encode()).digest()
    with _lock:
        if key not in _kept:
            file = os.memfd_create(name)
            os.write(file, text.encode())
            _kept[key] = f"/proc/self/fd/{file}"
        return _kept[key]
