"""Wrong passwords from many addresses: `python -m benchmarks.flood PORT`. Ends with its standard input.

Every knock has another name and, before the portal would refuse an address unheard, another address of loopback: each
of them costs the portal a look at a password. Prints how many were answered as wrong, and how many otherwise.
"""

import http.client
import itertools
import sys
import threading
from collections import Counter

from benchmarks.client import Client, Wrong

AT_ONCE = 8
KNOCKS = 40  # of one address; at 50 failures it is refused before any password is looked at
WRONG = 200  # the form again


def knock(port: int, lane: int, over: threading.Event, told: Counter[str]) -> None:
    for turn in itertools.count():
        client = Client(port, source=f"127.0.{lane + 1}.{turn % 250 + 1}")
        token = client.door()
        for number in range(KNOCKS):
            if over.is_set():
                return
            try:
                client.enter(token, f"nobody-{lane}-{turn}-{number}", "a wrong password", wanted=WRONG)
                told["wrong"] += 1
            except (Wrong, OSError, http.client.HTTPException):
                told["else"] += 1


def main(port: int) -> None:
    over, told = threading.Event(), Counter[str]()
    lanes = [threading.Thread(target=knock, args=(port, lane, over, told)) for lane in range(AT_ONCE)]
    for lane in lanes:
        lane.start()
    sys.stdin.readline()
    over.set()
    for lane in lanes:
        lane.join()
    print(told["wrong"], told["else"])


if __name__ == "__main__":
    main(int(sys.argv[1]))
