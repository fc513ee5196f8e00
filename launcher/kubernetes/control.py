"""The words with which the parts of the control plane are started. Pure."""

from launcher.kubernetes import lan
from launcher.kubernetes.certificates import Certificates

ETCD = "http://127.0.0.1:2379"
NODE_AWAY_AFTER = "10s"  # usually 40-50 s: tests of lost nodes need not wait so long


def etcd(data: str) -> list[str]:
    clients = ["--listen-client-urls", ETCD, "--advertise-client-urls", ETCD]
    return ["etcd", "--data-dir", data, *clients, "--listen-peer-urls", "http://127.0.0.1:2380", "--unsafe-no-fsync"]


def api_server(kube: str, keys: Certificates, *, address: str) -> list[str]:
    return [
        kube,
        "apiserver",
        f"--etcd-servers={ETCD}",
        f"--service-cluster-ip-range={lan.SERVICES}",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        "--enable-admission-plugins=NodeRestriction",
        f"--client-ca-file={keys.path('ca.pem')}",
        f"--tls-cert-file={keys.path('apiserver.pem')}",
        f"--tls-private-key-file={keys.path('apiserver.key')}",
        f"--service-account-key-file={keys.path('sa.pub')}",
        f"--service-account-signing-key-file={keys.path('sa.key')}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--kubelet-client-certificate={keys.path('kubelet-client.pem')}",
        f"--kubelet-client-key={keys.path('kubelet-client.key')}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={keys.path('front.pem')}",
        "--requestheader-allowed-names=front-proxy",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={keys.path('front-client.pem')}",
        f"--proxy-client-key-file={keys.path('front-client.key')}",
        "--enable-aggregator-routing=true",
        f"--advertise-address={address}",
    ]


def controllers(kube: str, keys: Certificates, *, config: str, plugins: str) -> list[str]:
    return [
        kube,
        "controller-manager",
        *_as(config),
        f"--service-account-private-key-file={keys.path('sa.key')}",
        f"--root-ca-file={keys.path('ca.pem')}",
        f"--cluster-signing-cert-file={keys.path('ca.pem')}",
        f"--cluster-signing-key-file={keys.path('ca.key')}",
        "--use-service-account-credentials",
        f"--node-monitor-grace-period={NODE_AWAY_AFTER}",
        "--node-monitor-period=2s",
        f"--cluster-cidr={lan.POD_NETWORK}",
        "--allocate-node-cidrs=false",
        f"--flex-volume-plugin-dir={plugins}",
    ]


def scheduler(kube: str, *, config: str) -> list[str]:
    return [kube, "scheduler", *_as(config)]


def _as(config: str) -> list[str]:
    names = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    return [*(f"--{name}={config}" for name in names), "--leader-elect=false"]
