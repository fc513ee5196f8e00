"""What a node's programs read: containerd's and kubelet's settings, and its pods' network. Pure."""

from launcher.kubernetes import lan

SOCKET = "/run/containerd/containerd.sock"  # of the node's own /run
RESOLVER = "resolv.conf"
PAUSE = "docker.io/berth/pause:1"

CONTAINERD = """version = 2
root = "{home}/containerd"
state = "/run/containerd"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "{home}/cni"
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "{home}/registries"
"""


def containerd(home: str) -> str:
    return CONTAINERD.format(home=home, socket=SOCKET, pause=PAUSE)


def pod_network(number: int, *, home: str) -> dict[str, object]:
    """The node's CNI configuration: a bridge with the node's /24 of pods."""
    addresses = {
        "type": "host-local",
        "dataDir": f"{home}/addresses",
        "routes": [{"dst": "0.0.0.0/0"}],
        "ranges": [[{"subnet": f"{lan.PODS}.{number}.0/24"}]],
    }
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "hairpinMode": True, "ipam": addresses}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "berth", "plugins": [bridge, ports]}


def kubelet(home: str, *, cgroup: str, dns: str, authority: str, resolver: str, plugins: str) -> dict[str, object]:
    return {
        "kind": "KubeletConfiguration",
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": authority},
        },
        "authorization": {"mode": "Webhook"},
        "clusterDNS": [dns],
        "clusterDomain": "cluster.local",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "nodeStatusUpdateFrequency": "2s",
        "nodeStatusMaxImages": -1,
        "volumePluginDir": plugins,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "resolvConf": resolver,
        "syncFrequency": "10s",
        "podLogsDir": f"{home}/podlogs",
        "imageMinimumGCAge": "24h",
        "serializeImagePulls": False,
        "healthzPort": 0,
    }


def kubelet_words(kube: str, home: str, *, config: str, name: str, address: str) -> list[str]:
    return [
        kube,
        "kubelet",
        f"--config={home}/kubelet.json",
        f"--kubeconfig={config}",
        f"--hostname-override={name}",
        f"--node-ip={address}",
        f"--root-dir={home}/kubelet",
        f"--cert-dir={home}/kubelet-keys",
        f"--node-labels=berth.test/node={name}",
    ]


def proxy_words(kube: str, *, config: str, name: str) -> list[str]:
    return [
        kube,
        "proxy",
        f"--kubeconfig={config}",
        f"--hostname-override={name}",
        "--proxy-mode=nftables",
        f"--cluster-cidr={lan.POD_NETWORK}",
        "--conntrack-max-per-core=0",
        "--healthz-bind-address=",
        "--conntrack-tcp-timeout-established=0s",
        "--conntrack-tcp-timeout-close-wait=0s",
    ]
