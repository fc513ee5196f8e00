"""What each key means, in a sentence: for the schema, and so for what an editor shows while one types."""

from django.utils.translation import gettext_lazy as _

from core.errors import Text

_RHYTHM: dict[str, Text] = {
    "interval": _("How often it is made, such as 5s."),
    "timeout": _("How long one try may take, such as 3s."),
    "retries": _("How many tries in a row must fail before an instance counts as unwell."),
    "start_period": _("How long failing does not count after the start, such as 10s."),
}
_PACE: dict[str, Text] = {
    "parallelism": _("How many instances are replaced at once."),
    "delay": _("How long to wait between two replacements, such as 10s."),
    "monitor": _("How long a new instance is watched before the next one is replaced."),
    "max_failure_ratio": _("Which part of the instances may fail, from 0 to 1."),
    "order": _("start-first begins the new instance before the old one ends; stop-first the other way round."),
}
_AMOUNTS: dict[str, Text] = {
    "cpus": _("Cores of each instance: 0.5 is half a core."),
    "memory": _("Memory of each instance, such as 256Mi or 1Gi."),
}

MEANINGS: dict[str, dict[str, Text]] = {
    "": {
        "services": _("What the app is made of, each under its name; other services reach it by that name."),
        "volumes": _("Data that outlives instances, by name; Berth chooses where it lies."),
        "configs": _("Small files for the services, their text in full."),
        "secrets": _("Secrets by name; a value never stands here."),
        "version": _("Not needed; left out."),
        "name": _("Not needed; the app is named in Berth."),
    },
    "Service": {
        "image": _("The image of every instance: registry/name:tag, or a name with its digest."),
        "command": _("What is run instead of the image's own command."),
        "entrypoint": _("What is run instead of the image's own entry point."),
        "environment": _("Environment variables, as NAME: value. A dollar sign is written twice."),
        "ports": _("Ports inside the instance that are reachable from outside; Berth chooses those of the host."),
        "expose": _("Ports that only services of the same environment reach."),
        "healthcheck": _("A command that says whether an instance is well. An update waits for it."),
        "depends_on": _("Services that are started before this one."),
        "volumes": _("Named volumes and where they are put: data:/var/lib/data. Folders of a host are refused."),
        "tmpfs": _("Folders in memory, empty at each start: /run:size=64m."),
        "configs": _("Configs of the app as files in the instance."),
        "secrets": _("Secrets of the app as files in the instance."),
        "working_dir": _("The folder in which the program starts."),
        "user": _("As whom the program runs: a name or number, with a group if needed."),
        "stop_grace_period": _("How long an instance may take to end by itself, such as 10s."),
        "read_only": _("Whether the files of the image cannot be changed."),
        "init": _("Whether a small first process looks after ended ones; it does unless said otherwise."),
        "labels": _("Labels of your own."),
        "deploy": _("How many instances, with how much, and how they are replaced."),
        "x-berth": _("Berth's own words, which Compose does not know."),
    },
    "Deploy": {
        "replicas": _("How many instances run."),
        "mode": _("Always replicated: as many instances as replicas says."),
        "resources": _("What each instance may use, and what is kept free for it."),
        "update_config": _("How instances are replaced by a new release."),
        "rollback_config": _("How instances go back to what ran before."),
        "restart_policy": _("When an instance that ended is started again."),
        "placement": _("On which hosts instances may run."),
    },
    "Resources": {
        "limits": _("The most an instance may use."),
        "reservations": _("What is kept free for each instance; it is only started where there is room."),
    },
    "Limits": _AMOUNTS | {"pids": _("How many processes an instance may have.")},
    "Reservations": _AMOUNTS,
    "UpdateConfig": _PACE | {"failure_action": _("Always rollback: a failed update goes back by itself.")},
    "RollbackConfig": _PACE,
    "RestartPolicy": {
        "condition": _("any: always; on-failure: when it ended with an error; none: never."),
        "delay": _("How long to wait before it is started again, such as 2s."),
        "max_attempts": _("How often it is started again before that is given up."),
        "window": _("How long an instance must have run to count as started."),
    },
    "Placement": {
        "constraints": _("Labels that a host must carry: node.labels.zone == a."),
        "max_replicas_per_node": _("How many instances may run on one host."),
    },
    "Healthcheck": _RHYTHM
    | {
        "test": _("A line for the shell, or a list that begins with CMD, CMD-SHELL or NONE."),
        "disable": _("Whether the image's own check is switched off."),
    },
    "BerthWords": {"health": _("A check over HTTP or TCP, made inside each instance with its own wget or nc.")},
    "Volume": {"x-berth": _("Berth's own words, which Compose does not know.")},
    "VolumeWords": {
        "size": _("How large the volume is, such as 10Gi; so large is each, where each instance has its own.")
    },
    "Health": _RHYTHM
    | {
        "http": _("Well while GET on the path answers 2xx or 3xx."),
        "tcp": _("Well while the port takes connections."),
    },
    "HttpCheck": {
        "port": _("The port inside the instance."),
        "path": _("What is asked for, such as /healthz."),
    },
    "TcpCheck": {"port": _("The port inside the instance.")},
    "Config": {"content": _("The text of the file.")},
    "Secret": {"external": _("Always true: the value is kept elsewhere.")},
}
EXAMPLES: dict[tuple[str, str], tuple[str, ...]] = {
    ("Limits", "memory"): ("128Mi", "256Mi", "512Mi", "1Gi"),
    ("Reservations", "memory"): ("64Mi", "128Mi", "256Mi", "512Mi"),
    ("Limits", "cpus"): ("0.25", "0.5", "1", "2"),
    ("Reservations", "cpus"): ("0.1", "0.25", "0.5", "1"),
    ("VolumeWords", "size"): ("1Gi", "10Gi", "50Gi", "100Gi"),
    ("Health", "interval"): ("5s", "10s", "30s"),
    ("Healthcheck", "interval"): ("5s", "10s", "30s"),
}
