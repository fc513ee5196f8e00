"""What Keystone says, in our own shapes. Ids are Keystone's; names are labels that may change."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Domain:
    id: str
    name: str
    enabled: bool


@dataclass(frozen=True)
class Project:
    id: str
    name: str
    domain: str
    enabled: bool


@dataclass(frozen=True)
class Person:
    id: str
    name: str
    domain: str
    enabled: bool


@dataclass(frozen=True)
class Assignment:
    """A role that was given: inherited ones and those of groups are among them, implied ones are not."""

    user: str
    place: str  # project | domain | system
    where: str  # id of the project or domain; empty for the system
    role: str


@dataclass
class Snapshot:
    """Keystone at one moment; whole, or as far as one person is concerned (`about`)."""

    domains: dict[str, Domain] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    assignments: set[Assignment] = field(default_factory=set)
    implied: dict[str, set[str]] = field(default_factory=dict)  # role -> roles that come with it
    about: str = ""

    def person_is_good(self, key: str) -> bool:
        person = self.people.get(key)
        return person is not None and person.enabled and self.domain_is_good(person.domain)

    def project_is_good(self, key: str) -> bool:
        project = self.projects.get(key)
        return project is not None and project.enabled and self.domain_is_good(project.domain)

    def domain_is_good(self, key: str) -> bool:
        return key in self.domains and self.domains[key].enabled


@dataclass(frozen=True)
class Disabled:
    """Projects and domains that are off at this moment."""

    projects: frozenset[str]
    domains: frozenset[str]
