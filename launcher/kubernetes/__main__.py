"""python -m launcher.kubernetes up [NODES] | registry HOST:PORT | down | kubeconfig | kubectl WORDS...

`registry` has the nodes fetch from a registry over plain HTTP. BERTH_STATE names the folder of the cluster's state.
"""

import os
import sys

from launcher.kubernetes import binaries
from launcher.kubernetes.cluster import PrivateCluster
from launcher.paths import State
from launcher.problems import Problem


def main(words: list[str]) -> int:
    cluster = PrivateCluster(State.from_environment().folder)
    match words:
        case ["build"]:
            binaries.build()
        case ["up"]:
            print(cluster.start())
        case ["up", nodes] if nodes.isdigit():
            print(cluster.start(int(nodes)))
        case ["registry", address]:
            cluster.let_fetch(address)
        case ["down"]:
            cluster.destroy()
        case ["kubeconfig"]:
            print(cluster.kubeconfig)
        case ["kubectl", *rest]:
            kube = str(binaries.kube())
            os.execv(kube, [kube, "kubectl", "--kubeconfig", str(cluster.kubeconfig), *rest])  # noqa: S606 - no shell
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        print(problem, file=sys.stderr)
        sys.exit(1)
