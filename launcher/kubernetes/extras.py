"""What a usual cluster brings beside its control plane, here as host processes: names, metrics and volumes."""

import json
from pathlib import Path

from launcher.kubernetes import binaries
from launcher.kubernetes.certificates import Certificates
from launcher.sample_images import REFERENCES

HELPER = f"docker.io/{REFERENCES[0]}"
STORAGE = "local-path-storage"
_MAKE = '#!/bin/sh\nmkdir -m 0777 -p "$VOL_DIR"\n'
_DROP = '#!/bin/sh\nrm -rf "$VOL_DIR"\n'
# cluster names are answered, every other name is unknown at once: there is no resolver to ask
_NAMES = """cluster.local:53 in-addr.arpa:53 {{
  bind {address}
  errors
  kubernetes {{
    kubeconfig {config}
    ttl 5
  }}
  loadbalance
}}
.:53 {{
  bind {address}
  template ANY ANY {{
    rcode NXDOMAIN
  }}
}}
"""


def names(home: Path, *, config: str, address: str) -> list[str]:
    file = home / "Corefile"
    file.write_text(_NAMES.format(address=address, config=config))
    return [str(binaries.beside("coredns")), "-conf", str(file)]


def metrics(home: Path, *, config: str, address: str) -> list[str]:
    return [
        str(binaries.beside("metrics-server")),
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--kubelet-insecure-tls",
        "--kubelet-preferred-address-types=InternalIP",
        "--metric-resolution=10s",
        "--kubelet-request-timeout=5s",
        "--secure-port=4443",
        f"--bind-address={address}",
        f"--cert-dir={home}/metrics-keys",
    ]


def volumes(home: Path, state: Path, *, config: str) -> list[str]:
    """Folders on the nodes, made by short pods; each node has its own although they share a disk."""
    places = [{"node": f"n{number}", "paths": [str(state / f"n{number}" / "volumes")]} for number in range(1, 10)]
    (home / "volumes.json").write_text(json.dumps({"nodePathMap": places}))
    container = {
        "name": "helper",
        "image": HELPER,
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"runAsUser": 0},
    }
    pod = {
        "tolerations": [{"operator": "Exists"}],
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    helper = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "helper"}, "spec": pod}
    (home / "volume-pod.yaml").write_text(json.dumps(helper))
    return [
        str(binaries.beside("local-path-provisioner")),
        "start",
        *("--config", str(home / "volumes.json")),
        *("--kubeconfig", config),
        *("--namespace", STORAGE),
        *("--helper-image", HELPER),
        *("--helper-pod-file", str(home / "volume-pod.yaml")),
        *("--configmap-name", "local-path"),
        *("--service-account-name", "local-path"),
    ]


def objects(address: str) -> list[dict[str, object]]:
    """What the cluster must know of the processes above."""
    metrics_service = {"name": "metrics-server", "namespace": "kube-system", "port": 443}
    metrics_api = {
        "group": "metrics.k8s.io",
        "version": "v1beta1",
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
        "service": metrics_service,
    }
    storage = {
        "provisioner": "rancher.io/local-path",
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Delete",
    }
    return [
        thing("v1", "Namespace", STORAGE),
        thing("apiregistration.k8s.io/v1", "APIService", "v1beta1.metrics.k8s.io", spec=metrics_api),
        *endpoint("metrics-server", "https", 443, 4443, address=address),
        *endpoint("kube-dns", "dns", 53, 53, address=address, protocol="UDP"),
        default_class(thing("storage.k8s.io/v1", "StorageClass", "local-path", **storage)),
        thing("v1", "ServiceAccount", "local-path", STORAGE),
        thing("v1", "ConfigMap", "local-path", STORAGE, data={"setup": _MAKE, "teardown": _DROP}),
    ]


def thing(api: str, kind: str, name: str, namespace: str = "", **fields: object) -> dict[str, object]:
    where = {"namespace": namespace} if namespace else {}
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, **where}, **fields}


def default_class(storage: dict[str, object]) -> dict[str, object]:
    note = {"storageclass.kubernetes.io/is-default-class": "true"}
    return storage | {"metadata": {"name": "local-path", "annotations": note}}


def endpoint(
    service: str, name: str, port: int, target: int, *, address: str, protocol: str = "TCP"
) -> list[dict[str, object]]:
    """A Service without selector that leads to a host process in the first node's network."""
    ports = {"name": name, "port": port, "protocol": protocol}
    labels = {"kubernetes.io/service-name": service}
    slice_ = thing(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        service,
        addressType="IPv4",
        ports=[ports | {"port": target}],
        endpoints=[{"addresses": [address], "conditions": {"ready": True}}],
    )
    slice_["metadata"] = {"name": service, "namespace": "kube-system", "labels": labels}
    return [thing("v1", "Service", service, "kube-system", spec={"ports": [ports]}), slice_]


def keep(keys: Certificates, *, server: str) -> str:
    """The kubeconfig of these processes."""
    return keys.kubeconfig("extras", "/O=system:masters/CN=extras", server=server)
