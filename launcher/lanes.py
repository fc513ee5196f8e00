"""Work that waits more than it computes, done beside other such work: each lane in a process of its own."""

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Generic, TypeVar

from launcher.report import say

Told = TypeVar("Told")
Work = Callable[[str], Told]
_FORK = multiprocessing.get_context("fork")  # what is to be done need not be sent, only its result


def beside(lanes: Sequence[Sequence[str]], work: Work[Told], *, lost: Work[Told]) -> list[Told]:
    """Each lane's work in its order, all lanes at once; results in the order of `lanes`.

    The first lane speaks as it goes, another when it has ended. `lost` gives the result of work whose lane died.
    Whatever ends this early ends all lanes, each with the chance to clear up.
    """
    first, *rest = lanes
    with ExitStack() as stack:
        others = [stack.enter_context(_started(names, work)) for names in rest]
        results = [work(name) for name in first]
        for other in others:
            told = other.results()
            results += [*told, *map(lost, other.names[len(told) :])]
    return results


@dataclass
class _Lane(Generic[Told]):
    names: Sequence[str]
    process: BaseProcess
    end: Connection
    output: Path

    def results(self) -> list[Told]:
        """What was told of each piece of work, when the lane has ended; then all that it said is said."""
        found: list[Told] = []
        with suppress(EOFError):
            while len(found) < len(self.names):
                found.append(self.end.recv())
        self.process.join()
        say(self.output.read_text(errors="replace"))
        return found


@contextmanager
def _started(names: Sequence[str], work: Work[Told]) -> Iterator[_Lane[Told]]:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        end, far = _FORK.Pipe(duplex=False)
        process = _FORK.Process(target=_work, args=(names, work, output, far))
        process.start()
        far.close()
        try:
            yield _Lane(names, process, end, output)
        finally:
            process.terminate()
            process.join()


def _work(names: Sequence[str], work: Work[Told], output: Path, far: Connection) -> None:
    """`output` takes what this process says, and what the programs say that it starts."""
    with output.open("w") as file, redirect_stdout(file), redirect_stderr(file):
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
        for name in names:
            far.send(work(name))
