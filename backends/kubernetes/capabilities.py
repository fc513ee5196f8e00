"""Where Kubernetes differs. Apart from the driver, so that pages know without its libraries."""

from backends.contract import Capabilities

CAPABILITIES = Capabilities(
    speaks="Kubernetes YAML",
    goes_back=False,
    tells_streams=False,
    keeps_logs=False,
    reads_images=False,
    names_users=False,
    limits_processes=False,
    restart_policies=False,
    volumes_shared=False,
    sizes_volumes=True,
    volumes_on_networks=True,
    keeps_ceilings=True,
)
