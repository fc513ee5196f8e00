"""What Docker Swarm can. Apart from the driver, so that pages know without its libraries."""

from backends.contract import Capabilities

CAPABILITIES = Capabilities(
    speaks="Docker Swarm JSON", reaches_every_host=False, moves_single_instances=False, builds_images=True
)
