"""The words for each code: what is wrong (or what becomes of it), and what to do next.

`{path}` is always known; the other names come with the fault. Refusals of whole keys stand in `refusals.py`.
"""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

Words = tuple["_StrOrPromise", "_StrOrPromise"]

TEXT: dict[str, Words] = {
    "too_big": (
        _("The specification is larger than {limit} KB."),
        _("Put large files into the image, or split the app in two."),
    ),
    "not_utf8": (_("The text is not UTF-8."), _("Save the file as UTF-8 and send it again.")),
    "syntax": (
        _("Line {line}, column {column} is neither YAML nor JSON."),
        _("Check quotes, colons and indentation there."),
    ),
    "json_syntax": (
        _("Line {line}, column {column} is not JSON."),
        _("Check quotes, commas and brackets there."),
    ),
    "too_deep": (
        _("{path} is nested more than {limit} levels deep."),
        _("No kept key needs that many levels."),
    ),
    "too_many_values": (_("The specification has more than {limit} values."), _("Split the app in several.")),
    "duplicate_key": (_("{path} is written twice."), _("Keep one of the two.")),
    "bad_key": (_("{path} is a list or a map where the name of a key is expected."), _("Write a name.")),
    "unknown_alias": (
        _("{path} names the YAML anchor {name}, which is not set before it."),
        _("Set the anchor first."),
    ),
    "yaml_tag": (
        _("{path} carries the YAML tag {name}, which is not kept."),
        _("Remove the tag and write the value itself."),
    ),
    "bad_merge": (
        _("{path} merges something that is not a map."),
        _("Merge maps only, or write the keys out."),
    ),
    "one_document": (_("There is more than one YAML document."), _("Send one app at a time.")),
    "too_many_documents": (_("There are more than {limit} YAML documents."), _("Send them in several pieces.")),
    "nul": (_("{path} contains a NUL character."), _("Remove the character.")),
    "bad_text": (_("{path} contains half a character (a lone surrogate)."), _("Write the character whole.")),
    "not_a_value": (
        _("{path} is neither text, number, list nor map."),
        _("Write text, a number, a list or a map."),
    ),
    "number_out_of_range": (
        _("{path} is not a number that can be kept."),
        _("Write a smaller, finite number."),
    ),
    "variable": (
        _("{path} uses {name}, a variable of the shell that runs Compose; Berth has no such shell."),
        _("Write the value itself. A dollar sign is written $$."),
    ),
}

SHAPES: dict[str, Words] = {
    "missing": (_("{path} is missing."), _("Add it.")),
    "not_a_map": (_("{path} must be a map of names and values."), _('Write it as "name: value" pairs.')),
    "not_a_list": (_("{path} must be a list."), _("Write it as a list.")),
    "not_list_or_map": (
        _("{path} must be a list or a map."),
        _('Write it as a list, or as "name: value" pairs.'),
    ),
    "not_text": (_("{path} must be text."), _("Put it in quotes.")),
    "empty": (_("{path} is empty."), _("Write a value, or leave the key out.")),
    "too_long": (_("{path} is longer than {limit} characters."), _("Shorten it.")),
    "too_many": (_("{path} has more than {limit} entries."), _("Keep at most {limit}.")),
    "twice": (_("{path} repeats {name}."), _("Keep one of the two.")),
    "not_one_of": (_("{path} cannot be {value}."), _("Use one of: {words}.")),
    "not_whole_number": (
        _("{path} must be a whole number from {low} to {high}."),
        _("Use a number from {low} to {high}."),
    ),
    "not_ratio": (_("{path} must be a number from 0 to 1."), _("Use for example 0.2.")),
    "not_true_or_false": (_("{path} must be true or false."), _("Use true or false.")),
    "invalid": (
        _("{path} cannot be used as written."),
        _("Compare it with the schema at /api/v1/schemas/app."),
    ),
    "bad_name": (
        _("{path}: {value} cannot be a name. A name has 1 to 40 small letters, digits and hyphens."),
        _("Call it for example {nearest}."),
    ),
}

IMAGES: dict[str, Words] = {
    "image_grammar": (
        _("{path}: {value} is not the name of an image."),
        _("Write registry/name:tag, for example nginx:1.29."),
    ),
    "image_capitals": (
        _("{path}: {value} has capital letters in its name."),
        _("Write the name in small letters."),
    ),
    "image_tag": (
        _("{path}: {value} has a tag that is not allowed."),
        _("A tag has letters, digits, _, . and -."),
    ),
    "image_digest": (
        _("{path}: {value} has a digest that is not allowed."),
        _("A digest is sha256: and 64 digits from 0-9a-f."),
    ),
    "image_registry": (
        _("{path}: {value} names a registry that is not a host name."),
        _("Write host/name:tag, without https:// and without a password."),
    ),
    "image_is_an_id": (
        _("{path}: {value} is the id of an image on one machine."),
        _("Write the image's name and tag, or its name and digest."),
    ),
    "image_not_pinned": (
        _("{path}: the image of this service has not been pinned to a digest."),
        _("Deploy again; Berth then asks the registry for the digest."),
    ),
}

VALUES: dict[str, Words] = {
    "not_memory": (_("{path}: {value} is not an amount of memory."), _("Write for example 256Mi or 1Gi.")),
    "memory_out_of_range": (
        _("{path} must be from {low} to {high}."),
        _("Use an amount from {low} to {high}."),
    ),
    "not_size": (_("{path}: {value} is not the size of a volume."), _("Write for example 500Mi or 10Gi.")),
    "size_out_of_range": (
        _("{path}: a volume has from {low} to {high}."),
        _("Use an amount from {low} to {high}."),
    ),
    "not_cpus": (
        _("{path}: {value} is not a number of cores."),
        _("Write cores, for example 0.5 for half a core."),
    ),
    "cpus_out_of_range": (_("{path} must be from 0.01 to 64 cores."), _("Use a number from 0.01 to 64.")),
    "not_duration": (
        _("{path}: {value} is not a length of time."),
        _("Write for example 10s, 1m30s or 500ms."),
    ),
    "duration_out_of_range": (
        _("{path} must be from {low} to {high}."),
        _("Use a time from {low} to {high}."),
    ),
    "reservation_over_limit": (
        _("{path} reserves more than its limit."),
        _("Raise the limit or reserve less."),
    ),
    "bad_user": (
        _("{path}: {value} is not a user."),
        _("Write a name or number, with a group if needed: 1000 or app:app."),
    ),
    "bad_path": (
        _("{path}: {value} is not a path inside the instance."),
        _("Write an absolute path without .. such as /var/lib/data."),
    ),
    "reserved_path": (
        _("{path}: {value} belongs to the engine."),
        _("Use a path outside /proc, /sys and /dev, and not / itself."),
    ),
    "path_twice": (_("{path}: something else is already put at {value}."), _("Use another path.")),
    "bad_command": (
        _("{path} has a quote that is not closed."),
        _("Close the quote, or write the command as a list of words."),
    ),
    "bad_key_of_environment": (
        _("{path}: {value} cannot be the name of a variable."),
        _("Begin with a letter or _, and go on with letters, digits, _, . or -."),
    ),
    "reserved_environment": (
        _("{path}: names that begin with BERTH_ are set by Berth."),
        _("Use a name that begins otherwise."),
    ),
    "environment_without_value": (
        _("{path} has no value; Compose would take it from the shell that runs it."),
        _('Write the value, or "" for an empty one.'),
    ),
    "environment_too_large": (_("{path} holds more than {limit} KB."), _("Put large values into a config.")),
    "reserved_label": (
        _("{path}: labels that begin with {name} are set by the platform."),
        _("Use a prefix of your own, such as com.example."),
    ),
    "bad_label": (_("{path}: {value} cannot be the name of a label."), _("Use letters, digits and . _ - /.")),
    "config_too_large": (
        _("{path} is larger than {limit} KB."),
        _("Put large files into the image or a volume."),
    ),
    "bad_mode": (
        _("{path}: {value} is not a file mode."),
        _('Write it in quotes with a leading zero, such as "0440".'),
    ),
}

PORTS: dict[str, Words] = {
    "bad_port": (
        _("{path}: {value} is not a port."),
        _('Write the port inside the instance: 8080, "8080/udp" or "80:8080".'),
    ),
    "port_out_of_range": (_("{path}: ports go from 1 to 65535."), _("Use a port from 1 to 65535.")),
    "port_protocol": (_("{path}: the protocol {value} is not available."), _("Use tcp or udp.")),
    "port_range": (
        _("{path}: the two ranges of ports are not of the same length, or run backwards."),
        _("Name each port by itself."),
    ),
    "port_mode_host": (
        _("{path}: a port cannot be bound to a host by hand."),
        _("Leave mode out; Berth publishes the port and says where it is reached."),
    ),
}

LINKS: dict[str, Words] = {
    "unknown_service": (_("{path}: there is no service {value}."), _("Use one of: {words}.")),
    "depends_on_itself": (_("{path}: a service cannot wait for itself."), _("Remove the line.")),
    "depends_in_a_circle": (
        _("{path}: these services wait for each other in a circle: {words}."),
        _("Remove one of these dependencies."),
    ),
    "condition_not_available": (
        _("{path}: waiting for a service to finish is not available yet."),
        _("Use service_started or service_healthy."),
    ),
    "not_declared": (_("{path}: {value} is not declared."), _("Add {value} under {words}.")),
    "secret_not_set": (
        _("{path}: the secret {value} has no value yet."),
        _("Set the secret's value, then deploy again."),
    ),
    "secret_in_specification": (
        _("{path}: a secret's value never stands in a specification."),
        _('Write "external: true" and set the value in Berth.'),
    ),
}

MOUNTS: dict[str, Words] = {
    "bind_of_file": (
        _("{path}: {value} is a file of a host, and instances cannot reach the host."),
        _("Put the file's text under configs (content: ...) and list it under the service's configs."),
    ),
    "bind_of_folder": (
        _("{path}: {value} is a folder of a host, and instances cannot reach the host."),
        _("Build an image that contains it, or use a named volume (volumes) for data."),
    ),
    "engine_socket": (
        _("{path}: {value} is the engine's own socket: whoever holds it owns every host."),
        _("Use Berth's API with a token instead."),
    ),
    "anonymous_volume": (
        _("{path}: a volume without a name would be lost with its instance."),
        _('Name it, as in "data:{value}", and declare "data" under volumes; or use tmpfs.'),
    ),
    "volume_option": (_("{path}: the option {value} is not available."), _("Use ro or rw, or leave it out.")),
    "volume_type": (
        _("{path}: mounts of type {value} are not available."),
        _("Use a named volume (type: volume), tmpfs, or a config."),
    ),
    "tmpfs_option": (
        _("{path}: the option {value} is not available."),
        _("Only the size can be set: /run:size=64m."),
    ),
}

HEALTH: dict[str, Words] = {
    "bad_test": (
        _("{path} must be NONE, CMD with words, CMD-SHELL with one line, or text."),
        _('Write for example ["CMD", "pg_isready"] or "curl -f http://127.0.0.1/".'),
    ),
    "no_test": (
        _("{path} says when to check but not what."),
        _('Add test, for example ["CMD", "pg_isready"], or remove healthcheck to keep the image\'s own check.'),
    ),
    "two_checks": (
        _("{path}: there is a healthcheck already, and a service has one check."),
        _("Keep either healthcheck or x-berth.health."),
    ),
    "one_check": (
        _("{path} needs exactly one of http and tcp."),
        _('Write {{"http": {{"port": 8080, "path": "/healthz"}}}}.'),
    ),
    "bad_url_path": (
        _("{path}: {value} is not the path of an address."),
        _("Begin with / and use no spaces."),
    ),
}

DEPLOY: dict[str, Words] = {
    "mode_global": (
        _("{path}: one instance on every host is not available; hosts are shared by all tenants."),
        _("Use mode replicated with deploy.replicas."),
    ),
    "too_many_instances": (
        _("{path}: at most {limit} instances are allowed here."),
        _("Use a number from 0 to {limit}."),
    ),
    "bad_constraint": (
        _("{path}: {value} is not a condition that can be asked for."),
        _('Only labels of hosts can be asked for: "node.labels.zone == a".'),
    ),
    "failure_action": (
        _("{path}: an update that fails always goes back to what ran before."),
        _("Use rollback, or leave it out."),
    ),
}

NOTES: dict[str, Words] = {
    "host_port_chosen": (_("{path}: Berth chooses the port on the host; {value} is not used."), ""),
    "host_address_chosen": (_("{path}: Berth chooses the address on the host; {value} is not used."), ""),
    "port_kept_inside": (
        _("{path}: bound to the host itself ({value}), so it is reachable inside the environment only (expose)."),
        "",
    ),
    "rollback_follows_update": (
        _("{path} is kept; going back follows the pace of update_config."),
        "",
    ),
    "not_needed": (_("{path} is not needed and left out."), ""),
    "left_out": (_("{path} was left out because you chose so."), ""),
    "extension_left_out": (_("{path} means nothing to Berth and is left out."), ""),
    "restart_translated": (_("{path}: {value} becomes deploy.restart_policy with condition {name}."), ""),
    "restart_overridden": (_("{path} is left out: deploy.restart_policy says it already."), ""),
    "container_name_left_out": (
        _("{path}: instances are named by Berth; other services reach this one as {name}."),
        "",
    ),
    "hostname_left_out": (_("{path}: other services reach this one as {name}."), ""),
    "stop_signal_left_out": (
        _("{path}: the stop signal is the one the image declares (STOPSIGNAL), SIGTERM if it declares none."),
        "",
    ),
    "platform_left_out": (_("{path}: the image is run on the platform of the cluster's hosts."), ""),
    "network_shared": (
        _("{path} is left out: all services of an environment share one network and reach each other by name."),
        "",
    ),
    "build_left_out": (_("{path} is left out: the image {name} is used as it is in the registry."), ""),
    "name_left_out": (_("{path} is left out: the app is named in Berth."), ""),
    "renamed": (_("{path}: the name becomes {value}, as names have small letters, digits and hyphens."), ""),
    "size_translated": (_("{path} becomes the size of the volume."), ""),
    "volume_driver_left_out": (_("{path} is left out: Berth chooses where volumes lie."), ""),
    "secret_value_elsewhere": (
        _("{path} is left out: set the value of the secret {name} in Berth before deploying."),
        "",
    ),
}

SENTENCES: dict[str, Words] = {
    **TEXT,
    **SHAPES,
    **IMAGES,
    **VALUES,
    **PORTS,
    **LINKS,
    **MOUNTS,
    **HEALTH,
    **DEPLOY,
    **NOTES,
}
