"""What the one process can do without. Measured with benchmarks/starts.py: 13 of 127 MiB."""

import ctypes
import ctypes.util
import gc
import sys

M_ARENA_MAX = -8  # malloc.h of glibc


def leave_out_postgresql() -> None:
    """REST framework imports Django's PostgreSQL fields, and with them psycopg, wherever they are installed.

    Said to be absent, as they are without psycopg, it goes its other way. To be called before it is imported.
    """
    sys.modules.setdefault("django.contrib.postgres", None)  # type: ignore[arg-type]  # what import takes for absent


def share_one_heap() -> None:
    """Threads that wait most of the time need no heaps of their own. Without glibc nothing happens."""
    library = ctypes.CDLL(ctypes.util.find_library("c"))
    if hasattr(library, "mallopt"):
        library.mallopt(M_ARENA_MAX, 1)


def leave_alone_what_stays() -> None:
    """Whatever was made until now lives as long as the process: modules, models, settings.

    To walk through it whenever rubbish is looked for takes a tenth of a second, in which nobody is answered.
    """
    gc.collect()
    gc.freeze()
