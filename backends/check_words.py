"""What a check of a cluster says to people: one sentence of what was found, one of what it leads to or what to do."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backends.contract import CheckCode, Finding, Unusable, UnusableError

_Words = tuple[Promise, Promise]

_FOUND: dict[CheckCode, _Words] = {
    CheckCode.AWAY: (
        _("The cluster does not answer: %(said)s"),
        _("Check the address and its port, and that Berth's machine is let in there."),
    ),
    CheckCode.SLOW: (
        _("The cluster took too long to answer."),
        _("Try again; if it stays so, see what keeps its engine busy."),
    ),
    CheckCode.UNTRUSTED: (
        _("What answers there does not prove that it is this cluster: %(said)s"),
        _("Give the authority (CA) that signed the certificate of the cluster, and an address that stands in it."),
    ),
    CheckCode.WANTS_CERTIFICATE: (
        _("The engine lets in nobody without a certificate that it trusts: %(said)s"),
        _("Give a client certificate with its key, signed by the authority that the engine was started with."),
    ),
    CheckCode.NOT_KNOWN: (
        _("The cluster does not know these credentials."),
        _("They may be over or taken back. Make new ones for the account of Berth and give these."),
    ),
    CheckCode.REFUSED: (
        _("The cluster refused: %(said)s"),
        _("Look at what it objects to; the account may lack a right, or another program answers at this address."),
    ),
    CheckCode.NOT_A_MANAGER: (
        _("This engine may not manage its cluster: %(said)s"),
        _("Give the address of a managing host; `docker swarm init` makes one of an engine that stands alone."),
    ),
    CheckCode.OLD_VERSION: (
        _("Version %(version)s is too old."),
        _("Berth needs %(needed)s or later. Bring the cluster up to date first."),
    ),
    CheckCode.NO_HOSTS: (
        _("None of its hosts is ready (%(hosts)s known)."),
        _("Nothing can run there until one is."),
    ),
    CheckCode.OTHER_CLUSTER: (
        _("None of the hosts that were seen so far is there: this is another cluster."),
        _("Connect it under a name of its own; environments that are bound to this one would lose what runs."),
    ),
    CheckCode.RIGHT_MISSING: (
        _("A right is missing: %(right)s."),
        _("Deployments there would fail. Apply the role that Berth needs."),
    ),
    CheckCode.NO_POLICY_RIGHT: (
        _("A right is missing: %(right)s."),
        _("Environments could not be kept apart, so nothing would be deployed. Apply the role that Berth needs."),
    ),
    CheckCode.NO_USAGE: (
        _("A right is missing: %(right)s."),
        _("All works, but nobody sees how much CPU, memory and network instances use."),
    ),
    CheckCode.NO_LOGS: (
        _("A right is missing: %(right)s."),
        _("All works, but nobody can read logs."),
    ),
    CheckCode.NO_CONSOLE: (
        _("A right is missing: %(right)s."),
        _("All works, but no console can be opened."),
    ),
    CheckCode.NO_EMPTYING: (
        _("A right is missing: %(right)s."),
        _("All works, but hosts cannot be closed for new instances or emptied."),
    ),
    CheckCode.NO_EVENTS: (
        _("A right is missing: %(right)s."),
        _("All works, but of some services that do not start Berth cannot say why."),
    ),
    CheckCode.RIGHT_UNSEEN: (
        _("A right is missing: %(right)s."),
        _("All works, but Berth cannot see whether services with volumes will find storage."),
    ),
    CheckCode.NO_GROWING: (
        _("A right is missing: %(right)s."),
        _("All works, but volumes cannot be made larger. Apply the role that Berth needs."),
    ),
    CheckCode.NO_NEWEST: (
        _("A right is missing: %(right)s."),
        _("All works, but a deployment may be told to fail for what failed before. Apply the role that Berth needs."),
    ),
    CheckCode.NO_WATCH: (
        _("A right is missing: %(right)s."),
        _("All works, but Berth asks for all of them at each look. Apply the role that Berth needs."),
    ),
    CheckCode.ALL_RIGHTS: (
        _("These credentials may do everything on the cluster."),
        _("Berth needs less: apply the role that it needs and give the credentials of that account."),
    ),
    CheckCode.NO_STORAGE: (
        _("The cluster has no default storage class."),
        _("Services with volumes will not start there. Others are not touched by it."),
    ),
    CheckCode.POLICIES_UNSURE: (
        _("Nothing tells that this cluster enforces network policies."),
        _("If it does not, instances of different tenants can reach each other. See what its network plugin can do."),
    ),
    CheckCode.IN_THE_CLEAR: (
        _("Nothing protects the way to %(address)s: no certificate is asked for or shown."),
        _("Whoever reaches that port rules the cluster. Start its engine with TLS and give the files here."),
    ),
    CheckCode.ONE_MANAGER: (
        _("One host alone manages the cluster."),
        _("While it is down, what runs goes on, but nothing can be changed. Three managing hosts bear one loss."),
    ),
    CheckCode.ONE_HOST_REACHED: (
        _("Berth speaks to the engine of one host."),
        _("Consoles and usage are there for instances on that host; logs and deployments for all."),
    ),
    CheckCode.NO_MEMORY_LIMITS: (
        _("Its engine cannot keep limits of memory."),
        _("One instance may take all of its host's memory. Turn the memory controller of the kernel on."),
    ),
}

_USE_AN_ACCOUNT = _("Make an account for Berth with the role that it needs, and give a token or certificate of it.")
_FLATTEN = _("`kubectl config view --raw --flatten --minify` prints a file that holds all it needs.")

_UNUSABLE: dict[Unusable, _Words] = {
    Unusable.UNREADABLE: (_("This is neither YAML nor JSON."), _FLATTEN),
    Unusable.NOT_THE_FILE: (_("This is no kubeconfig."), _FLATTEN),
    Unusable.MISSING: (_("It has no %(field)s called “%(name)s”."), _FLATTEN),
    Unusable.NO_CONTEXT: (_("It names no current context."), _("Choose one of those it has: %(names)s.")),
    Unusable.RUNS_A_PROGRAM: (_("%(field)s would run a program on Berth's machine."), _USE_AN_ACCOUNT),
    Unusable.ASKS_ELSEWHERE: (_("%(field)s would ask another service for credentials."), _USE_AN_ACCOUNT),
    Unusable.OTHER_FILE: (_("%(field)s names a file that Berth does not read."), _FLATTEN),
    Unusable.PASSWORD: (_("%(field)s is a password, which clusters take no more."), _USE_AN_ACCOUNT),
    Unusable.ACTS_AS_ANOTHER: (_("%(field)s would act as somebody else."), _USE_AN_ACCOUNT),
    Unusable.THROUGH_A_PROXY: (
        _("%(field)s would send the credentials through a proxy."),
        _("Berth has to reach the cluster itself. Take the line out, and open the way to the server's address."),
    ),
    Unusable.UNCHECKED: (
        _("%(field)s would trust whoever answers."),
        _("Take the line out and put the cluster's authority into certificate-authority-data."),
    ),
    Unusable.NOT_TAKEN: (
        _("%(field)s is not taken."),
        _("Take the line out, and give an address that stands in the cluster's certificate."),
    ),
    Unusable.BAD_ADDRESS: (
        _("%(field)s does not say where a cluster answers."),
        _("It looks like https://10.0.0.5:6443, or tcp://10.0.0.5:2376 and unix:///var/run/docker.sock."),
    ),
    Unusable.NOWHERE: (
        _("%(field)s: no cluster answers at %(address)s."),
        _("This address is a machine's own. Give the one at which other machines reach the cluster."),
    ),
    Unusable.LOOPBACK: (
        _("%(field)s: %(address)s is the machine that Berth itself runs on."),
        _(
            "Give the address at which other machines reach the cluster. Somebody at Berth's machine may type: "
            "manage.py add_cluster --allow-loopback."
        ),
    ),
    Unusable.BAD_TEXT: (
        _("%(field)s is not what it should be."),
        _("Give it whole, as it stands in its file: it begins with -----BEGIN."),
    ),
    Unusable.NO_CREDENTIALS: (
        _("There is no token in it, and no certificate with its key."),
        _USE_AN_ACCOUNT,
    ),
    Unusable.NOT_A_PAIR: (
        _("The certificate and the key do not belong together."),
        _("Give the key that the certificate was made for, and both of them."),
    ),
    Unusable.EXPIRED: (
        _("%(field)s ended on %(day)s."),
        _("Have a new certificate made."),
    ),
    Unusable.TOO_LARGE: (
        _("It is too large for a kubeconfig."),
        _FLATTEN,
    ),
}


def sentence(found: Finding | UnusableError) -> str:
    """What was found."""
    return _filled(found, place=0)


def hint(found: Finding | UnusableError) -> str:
    """What it leads to, or what to do."""
    return _filled(found, place=1)


def _filled(found: Finding | UnusableError, *, place: int) -> str:
    words = _FOUND[found.code] if isinstance(found, Finding) else _UNUSABLE[found.code]
    return str(words[place]) % _Params(found.params)


class _Params(dict[str, Any]):
    def __init__(self, params: Mapping[str, Any]) -> None:
        super().__init__(params)

    def __missing__(self, name: str) -> str:
        return "?"
