"""A private Kubernetes on one machine, for tests and trials: real parts, each node in namespaces of its own.

etcd, API server, controllers and scheduler run in the first node's network; every node has containerd, kubelet,
kube-proxy and an agent for NetworkPolicies. DNS, metrics and volumes are served by host processes beside them.
Nodes have no way out to other networks. Needs root and the Debian packages `packages.KUBERNETES`; the programs are
built once from their published Go modules (about five minutes) and kept.
"""
