"""Where engines truly differ, in words that belong to none of them. Pages and tests ask these, never for a kind."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Capabilities:
    speaks: str = "JSON"  # what its own documents are called by those who know it
    goes_back: bool = True  # gives a failed update up by itself and serves what it served before
    tells_streams: bool = True  # what was written to stdout and to stderr is told apart
    keeps_logs: bool = True  # of every ended instance it still tells of; else only of the last of each place
    reads_images: bool = True  # knows what is in an image (ports, check, user) that only lies on its hosts
    names_users: bool = True  # an instance's user may be a name that the image knows
    limits_processes: bool = True  # so many processes of an instance at most, as the spec says
    restart_policies: bool = True  # instances that ended in good order may be left ended
    volumes_shared: bool = True  # instances on one host share a volume; else each has its own
    moves_single_instances: bool = True  # only those on a host that is emptied; else all of each service that is there
    keeps_ceilings: bool = False  # refuses by itself what would take more than an environment may
    sizes_volumes: bool = False  # a volume is as large as the spec says; else as large as its host has room
    volumes_on_networks: bool = False  # a volume follows its instance to another host, where the cluster can do that
    reaches_every_host: bool = True  # consoles and usage, on whichever host an instance runs
    builds_images: bool = False  # from a folder of sources, apart from what runs there
