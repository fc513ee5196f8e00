"""Documents of an engine as a specification: whole, or with all that stands in the way, each at its line."""

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.specification import ForeignImport, Import, import_of

FILE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: web-conf}
data:
  nginx.conf: "server { listen 8080; return 200 $host; }"
  extra.conf: "# more"
---
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData:
  password: canary-of-import
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app.kubernetes.io/part-of: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, team: shop}}
    spec:
      nodeSelector: {disk: ssd}
      terminationGracePeriodSeconds: 20
      containers:
        - name: web
          image: example/web:1
          command: ["/bin/web"]
          args: ["--cost", "5$$"]
          env:
            - {name: MODE, value: fast}
            - {name: EXTRA, valueFrom: {configMapKeyRef: {name: web-conf, key: extra.conf}}}
          ports: [{name: http, containerPort: 8080}, {containerPort: 9000}]
          resources: {limits: {cpu: 500m, memory: 128M}, requests: {cpu: "0.25"}}
          readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 3, initialDelaySeconds: 7}
          securityContext: {runAsUser: 1000, readOnlyRootFilesystem: true}
          volumeMounts:
            - {name: conf, mountPath: /etc/nginx}
            - {name: data, mountPath: /data}
            - {name: word, mountPath: /run/word, subPath: password}
            - {name: scratch, mountPath: /cache}
      volumes:
        - {name: conf, configMap: {name: web-conf}}
        - {name: data, persistentVolumeClaim: {claimName: data}}
        - {name: word, secret: {secretName: db, defaultMode: 0400}}
        - {name: scratch, emptyDir: {sizeLimit: 64Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: http}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules:
    - host: shop.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {scaleTargetRef: {kind: Deployment, name: web, apiVersion: apps/v1}, minReplicas: 2, maxReplicas: 9}
"""
POD: dict[str, Any] = {"containers": [{"name": "web", "image": "example/web:1"}]}


def deployment(pod: dict[str, Any] | None = None, container: dict[str, Any] | None = None) -> dict[str, Any]:
    spec = POD | (pod or {})
    spec["containers"] = [POD["containers"][0] | (container or {}), *spec["containers"][1:]]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    body = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": body}


def read(*documents: Any, leaving_out: tuple[str, ...] = ()) -> ForeignImport:
    found = import_of(yaml.safe_dump_all(documents), leaving_out)
    assert isinstance(found, ForeignImport)
    return found


def refused(found: Import | ForeignImport) -> dict[str, str]:
    return {line.path: line.code for line in found.lines if line.kind == "refused"}


def test_several_documents_become_one_app() -> None:
    found = import_of(FILE)
    assert refused(found) == {}
    assert (found.name, found.speaks) == ("shop", "Kubernetes YAML")
    assert found.specification is not None
    assert found.specification.canonical() == {
        "services": {
            "web": {
                "image": "example/web:1",
                "entrypoint": ["/bin/web"],
                "command": ["--cost", "5$$"],
                "environment": {"MODE": "fast", "EXTRA": "# more"},
                "ports": [{"target": 8080, "protocol": "tcp"}],
                "expose": ["9000"],
                "volumes": [{"type": "volume", "source": "data", "target": "/data"}],
                "tmpfs": ["/cache:size=64Mi"],
                "configs": [
                    {"source": "web-conf-nginx-conf", "target": "/etc/nginx/nginx.conf"},
                    {"source": "web-conf-extra-conf", "target": "/etc/nginx/extra.conf"},
                ],
                "secrets": [{"source": "db", "target": "/run/word", "mode": "0400"}],
                "user": "1000",
                "stop_grace_period": "20s",
                "read_only": True,
                "labels": {"team": "shop"},
                "deploy": {
                    "replicas": 3,
                    "resources": {"limits": {"cpus": "0.5", "memory": "125000Ki"}, "reservations": {"cpus": "0.25"}},
                    "placement": {"constraints": ["node.labels.disk == ssd"]},
                },
                "x-berth": {
                    "health": {
                        "http": {"port": 8080, "path": "/healthz"},
                        "interval": "3s",
                        "timeout": "1s",
                        "retries": 3,
                        "start_period": "7s",
                    }
                },
            }
        },
        "volumes": {"data": {"x-berth": {"size": "5Gi"}}},
        "configs": {
            "web-conf-nginx-conf": {"content": "server { listen 8080; return 200 $$host; }"},
            "web-conf-extra-conf": {"content": "# more"},
        },
        "secrets": {"db": {"external": True}},
    }


def test_what_becomes_other_than_written_is_told_at_its_line() -> None:
    told = {line.path: (line.kind, line.code) for line in import_of(FILE).lines if line.kind in ("changed", "dropped")}
    assert told["[1]"] == ("changed", "value_elsewhere")
    assert told["[2].spec.accessModes"] == ("dropped", "engine_setting")
    assert told["[4].spec.ports[0].targetPort"] == ("changed", "other_port")
    assert told["[5].spec.rules[0].http.paths[0].backend"] == ("changed", "routes")
    assert told["[6].spec"] == ("dropped", "scaling")
    spots = {line.path: line.spot.line for line in import_of(FILE).lines if line.spot}
    lines = FILE.splitlines()
    assert "scaleTargetRef" in lines[spots["[6].spec"] - 1]
    assert "disk: ssd" in lines[spots["[3].spec.template.spec.nodeSelector.disk"] - 1]


def test_a_secrets_value_is_said_nowhere() -> None:
    encoded = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "annotations": {
        "kubectl.kubernetes.io/last-applied-configuration": '{"stringData":{"password":"canary-of-import"}}'}},
        "data": {"password": "Y2FuYXJ5LW9mLWltcG9ydA==", "number": 5, "odd": ["canary-of-import"]},
        "stringData": "canary-of-import", "type": "canary-of-import", "odd": "canary-of-import"}  # fmt: skip
    variable = [{"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]
    for found in (import_of(FILE), read(encoded, deployment(container={"env": variable}))):
        said = json.dumps([line.as_json() for line in found.lines]) + repr(found.specification)
        assert found.specification is None or "canary" not in found.specification.to_yaml()
        assert "canary" not in said
        assert "Y2FuYXJ5" not in said


def test_a_secret_as_a_variable_is_refused_with_a_way_out() -> None:
    variable = [{"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}, {"name": "A"}]
    found = read(deployment(container={"env": variable}))
    place = "[0].spec.template.spec.containers[0].env[0].valueFrom.secretKeyRef"
    assert refused(found) == {place: "secret_variable"}
    assert "as a file" in str(found.lines[0].message)
    rest = read(deployment(container={"env": variable}), leaving_out=("[0].spec.template.spec.containers[0].env[0]",))
    assert rest.specification is not None
    assert rest.specification.services["web"].environment == {"A": ""}


POD_ESCAPES: dict[str, Any] = {
    "hostNetwork": True, "hostPID": True, "hostIPC": True, "hostUsers": True, "nodeName": "n1",
    "hostAliases": [{"ip": "1.2.3.4", "hostnames": ["x"]}], "runtimeClassName": "kata", "dnsPolicy": "None",
    "dnsConfig": {"nameservers": ["1.1.1.1"]}, "automountServiceAccountToken": True,
    "initContainers": [{"name": "x", "image": "x"}], "ephemeralContainers": [{"name": "x"}],
    "securityContext": {"runAsUser": 0}, "nodeSelector": {"kubernetes.io/hostname": "n1"},
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}},
    "volumes": [{"name": "x", "hostPath": {"path": "/"}}], "unheardOf": True,
}  # fmt: skip
VOLUMES = ("nfs", "csi", "iscsi", "projected", "downwardAPI", "ephemeral", "flexVolume", "image", "gitRepo", "novel")
SECURITY: dict[str, Any] = {
    "privileged": True, "allowPrivilegeEscalation": True, "capabilities": {"add": ["SYS_ADMIN"]}, "runAsUser": 0,
    "runAsNonRoot": False, "procMount": "Unmasked", "seLinuxOptions": {"type": "spc_t"}, "sysctls": [{"name": "x"}],
    "seccompProfile": {"type": "Unconfined"}, "appArmorProfile": {"type": "Unconfined"}, "windowsOptions": {"x": "y"},
}  # fmt: skip
CONTAINER_ESCAPES: dict[str, Any] = {
    **{f"security {key}": {"securityContext": {key: value}} for key, value in SECURITY.items()},
    "host port": {"ports": [{"containerPort": 80, "hostPort": 80}]},
    "device": {"volumeDevices": [{"name": "x", "devicePath": "/dev/sda"}]},
    "graphics": {"resources": {"limits": {"nvidia.com/gpu": 1}}},
    "field": {"env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]},
    "sidecar": {"restartPolicy": "Always"},
    "our variable": {"env": [{"name": "BERTH_TOKEN", "value": "x"}]},
    "secrets all": {"envFrom": [{"secretRef": {"name": "other"}}]},
    "filled in": {"env": [{"name": "A", "value": "x"}], "args": ["$(A)"]},
    "headers": {"livenessProbe": {"httpGet": {"port": 80, "host": "169.254.169.254"}}},
    "propagation": {"volumeMounts": [{"name": "d", "mountPath": "/x", "mountPropagation": "Bidirectional"}]},
    "engine path": {"volumeMounts": [{"name": "d", "mountPath": "/proc/x"}]},
    "way up": {"volumeMounts": [{"name": "d", "mountPath": "/a/../../x"}]},
}
KINDS = ("Pod", "DaemonSet", "Job", "CronJob", "ServiceAccount", "Role", "ClusterRoleBinding", "PersistentVolume",
         "CustomResourceDefinition", "secret", "Node", "ValidatingWebhookConfiguration")  # fmt: skip


def escapes() -> dict[str, list[dict[str, Any]]]:
    """Everything by which a document reaches beyond its app."""
    own = {"volumes": [{"name": "d", "emptyDir": {}}]}
    found = {f"pod {key}": [deployment({key: value})] for key, value in POD_ESCAPES.items()}
    found |= {f"volume {key}": [deployment({"volumes": [{"name": "x", key: {"a": "b"}}]})] for key in VOLUMES}
    found |= {key: [deployment(own, container)] for key, container in CONTAINER_ESCAPES.items()}
    found["second"] = [deployment({"containers": [POD["containers"][0], {"name": "b", "image": "b"}]})]
    for kind in KINDS:
        found[f"kind {kind}"] = [deployment(), {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}}]
    for key, value in {"externalIPs": ["1.2.3.4"], "type": "ExternalName", "externalName": "x.example.com"}.items():
        spec = {"selector": {"app": "web"}, "ports": [{"port": 80}], key: value}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}
        found[f"service {key}"] = [deployment(), service]
    rest = {"privileged": True, "volumes": [{"type": "bind", "source": "/", "target": "/host"}]}
    smuggled = deployment()
    smuggled["metadata"]["annotations"] = {"berth/rest": json.dumps(rest)}
    found["our own note"] = [smuggled]
    return found


@pytest.mark.parametrize("name", list(escapes()))
def test_the_host_stays_out_of_reach(name: str) -> None:
    found = read(*escapes()[name])
    lines = [line for line in found.lines if line.kind == "refused"]
    assert lines, "taken"
    assert found.specification is None
    for line in lines:
        assert line.spot, line.path
        assert str(line.message)
        assert line.path


@pytest.mark.parametrize("name", list(escapes()))
def test_every_way_offered_leads_out(name: str) -> None:
    """Taking what is offered, again and again, ends with an app that has nothing of it, or with none at all."""
    leaving: tuple[str, ...] = ()
    for _turn in range(6):
        found = read(*escapes()[name], leaving_out=leaving)
        offered = tuple(line.leave for line in found.lines if line.kind == "refused" and line.leave)
        if not offered:
            break
        leaving += offered
    assert found.specification is not None or not refused(found) or set(refused(found).values()) <= {"empty", "missing"}
    assert set(found.left_out) <= set(leaving)


HARMLESS: dict[str, Any] = {
    "hostNetwork": False, "serviceAccountName": "web", "imagePullSecrets": [{"name": "x"}], "dnsPolicy": "ClusterFirst",
    "tolerations": [{"operator": "Exists"}], "restartPolicy": "Always", "priorityClassName": "high",
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
    "securityContext": {"runAsNonRoot": True, "fsGroup": 5}, "enableServiceLinks": True,
}  # fmt: skip


@pytest.mark.parametrize("key", list(HARMLESS))
def test_what_only_has_a_consequence_is_left_out_with_it(key: str) -> None:
    found = read(deployment({key: HARMLESS[key]}))
    assert refused(found) == {}
    assert found.specification is not None
    assert any(line.kind == "dropped" and f".{key}" in line.path for line in found.lines)


def test_problems_of_values_stand_where_the_value_came_from() -> None:
    found = read(deployment(container={"image": "bad image", "resources": {"limits": {"memory": "lots"}}}))
    base = "[0].spec.template.spec.containers[0]"
    assert refused(found) == {f"{base}.image": "image_grammar", f"{base}.resources.limits.memory": "not_memory"}
    assert str(found.lines[0].message).startswith(base)


def test_a_list_of_documents_and_json_are_read_too() -> None:
    whole = {"apiVersion": "v1", "kind": "List", "items": [deployment()]}
    found = import_of(json.dumps(whole, indent=1))
    assert found.specification is not None
    assert list(found.specification.services) == ["web"]
    evil = {"apiVersion": "v1", "kind": "List", "items": [deployment({"hostNetwork": True})]}
    assert refused(import_of(json.dumps(evil))) == {"[0].items[0].spec.template.spec.hostNetwork": "reaches_host"}


def test_services_are_called_as_others_reach_them() -> None:
    service = {"selector": {"app": "web"}, "type": "LoadBalancer", "ports": [{"port": 80, "targetPort": 8080}]}
    named = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "front"}, "spec": service}
    found = read(deployment(), named)
    assert found.specification is not None
    assert list(found.specification.services) == ["front"]
    codes = {line.code for line in found.lines}
    assert {"renamed", "published", "other_port"} <= codes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
        ) + "apiVersion: v1\nkind: Secret\n", "more than"),
        ("apiVersion: v1\nkind: x\nkind: y\n", "twice"),
        ("apiVersion: v1\nkind: Pod\nspec: " + "{a: " * 40 + "1" + "}" * 40, "nested"),
        ("apiVersion: v1\nkind: Pod\n---\n" * 120, "documents"),
        (json.dumps({"apiVersion": "v1", "kind": "Pod", "spec": [0] * 30_000}), "more than"),
        ("apiVersion: v1\nkind: Pod\nspec: \"a\\0b\"\n---\na: b\n", "NUL"),
        ("apiVersion: v1\nkind: Pod\nx: !!python/object/apply:os.system [ls]\n", "tag"),
        ("apiVersion: v1\nkind: Pod\nx: " + "y" * (257 * 1024), "larger than"),
        ("apiVersion: v1\nkind: &a Pod\n---\nx: *a\n", "anchor"),
    ],
)  # fmt: skip
def test_bombs_and_nonsense_are_refused_in_words(text: str, said: str) -> None:
    found = import_of(text)
    assert found.specification is None
    lines = [str(line.message) for line in found.lines if line.kind == "refused"]
    assert any(said in line for line in lines), lines


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 70_000), st.floats(allow_nan=False), st.text(max_size=6),
    st.sampled_from(["web", "TCP", "/x", "$(A)", "500m", "1Gi", "Deployment", "Service", "Secret"]),
)  # fmt: skip
KEYS = sorted(set(re.findall(r"[A-Za-z]{3,}", FILE)))
ANYTHING = st.recursive(
    SCALARS,
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(st.sampled_from(KEYS), below, max_size=5)),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_anything_in_the_place_of_a_value_is_read_or_refused(data: st.DataObject) -> None:
    documents: list[Any] = list(yaml.safe_load_all(FILE))
    at: Any = documents
    way = []
    while isinstance(at, dict | list) and at:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = data.draw(st.sampled_from(keys))
        way.append((at, key))
        at = at[key]
    holder, key = data.draw(st.sampled_from(way))
    holder[key] = data.draw(ANYTHING)
    found = import_of(json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}))
    assert (found.specification is None) == bool(refused(found)), refused(found)
    assert all(line.as_json()["message"] is not None for line in found.lines)
