"""How passwords are kept: Argon2id, tuned so that a sign-in costs less than 100 ms of a processor."""

import os
import threading

from django.contrib.auth.hashers import Argon2PasswordHasher

AT_ONCE = max(1, (os.cpu_count() or 1) - 1)
_free = threading.BoundedSemaphore(AT_ONCE)


class Argon2idHasher(Argon2PasswordHasher):
    """Memory in KiB. A processor is left for pages, however many passwords wait to be looked at."""

    time_cost = 2
    memory_cost = 32 * 1024
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _free:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _free:
            return super().verify(password, encoded)
