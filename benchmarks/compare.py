"""One comparison of declared with running, over a whole cluster: prints its seconds and the MiB of memory it took.

Runs by `benchmarks.inside` with the portal's BERTH_STATE, on the cluster that `benchmarks.many` filled.
"""

import resource
import time

from apps.reconciling import reconcile_cluster
from backends.models import Cluster

if __name__ == "__main__":
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    repaired = reconcile_cluster(Cluster.objects.get(name="bench"))
    seconds = time.monotonic() - began
    assert repaired == 0, f"nothing was missing, but {repaired} repairs were started"
    print(seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
