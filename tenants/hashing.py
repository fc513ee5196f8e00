"""How passwords are kept: Argon2id, tuned so that a sign-in costs less than 100 ms of a processor.

Written as Django's own hasher for it writes it, so that the two read each other's; made by the library that encrypts
our secrets, since its own would be one more.
"""

import os
import re
import threading
from typing import Any

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from django.contrib.auth.hashers import BasePasswordHasher, mask_hash

FORM = re.compile(r"argon2\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)")
AT_ONCE = max(1, (os.cpu_count() or 1) - 1)
_free = threading.BoundedSemaphore(AT_ONCE)


class Argon2idHasher(BasePasswordHasher):
    """Memory in KiB. A processor is left for pages, however many passwords wait to be looked at."""

    algorithm = "argon2"
    iterations = 3
    memory_cost = 32 * 1024
    lanes = 1
    length = 32

    def encode(self, password: str, salt: str) -> str:
        self._check_encode_args(password, salt)  # type: ignore[attr-defined]  # Django's, not in its stubs
        made = Argon2id(
            salt=salt.encode(),
            length=self.length,
            iterations=self.iterations,
            lanes=self.lanes,
            memory_cost=self.memory_cost,
        )
        with _free:
            return self.algorithm + made.derive_phc_encoded(password.encode())

    def verify(self, password: str, encoded: str) -> bool:
        try:
            with _free:
                Argon2id.verify_phc_encoded(password.encode(), encoded.removeprefix(self.algorithm))
        except InvalidKey:
            return False
        return True

    def decode(self, encoded: str) -> dict[str, Any]:
        found = FORM.fullmatch(encoded)
        if found is None:
            raise ValueError("This is no password kept as Argon2id.")
        memory, iterations, lanes = (int(found[place]) for place in (1, 2, 3))
        return {
            "algorithm": self.algorithm,
            "memory_cost": memory,
            "iterations": iterations,
            "lanes": lanes,
            "salt": found[4],
            "hash": found[5],
        }

    def safe_summary(self, encoded: str) -> Any:
        """For operators of Django's own admin pages, which Berth has none of."""
        known = self.decode(encoded)
        return {
            "algorithm": known["algorithm"],
            "memory cost": known["memory_cost"],
            "iterations": known["iterations"],
            "salt": mask_hash(known["salt"]),
            "hash": mask_hash(known["hash"]),
        }

    def must_update(self, encoded: str) -> bool:
        """Of a damaged one too: this is asked before it is looked at."""
        found = FORM.fullmatch(encoded)
        cost = (self.memory_cost, self.iterations, self.lanes)
        return found is None or tuple(int(found[place]) for place in (1, 2, 3)) != cost

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Nothing: what is missing in memory cannot be made up for in time."""
