"""Both locks agree with pyproject.toml and with each other, and pin everything by hash."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.tidy.sources import ROOT

LOCKS = {"requirements.lock": ["demo"], "requirements-dev.lock": ["demo", "dev"]}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def locked(name: str) -> dict[str, Version]:
    """Package to version. Raises where a line is no exact version with a hash."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    versions: dict[str, Version] = {}
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            pin = re.fullmatch(r"([\w.-]+)==(\S+)( ; [^\\]*?)?((?: +--hash=sha256:[0-9a-f]{64})+)\s*", line)
            assert pin, f"{name}: no exact version with a hash: {line[:80]}"
            assert canonicalize_name(pin[1]) not in versions, f"{name}: two versions of {pin[1]}"
            versions[canonicalize_name(pin[1])] = Version(pin[2])
    return versions


@pytest.mark.parametrize(("name", "extras"), LOCKS.items())
def test_a_lock_holds_every_declared_dependency_in_an_allowed_version(name: str, extras: list[str]) -> None:
    declared = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["build"]]
    declared += [line for extra in extras for line in PROJECT["project"]["optional-dependencies"][extra]]
    versions = locked(name)

    for requirement in map(Requirement, declared):
        version = versions.get(canonicalize_name(requirement.name))
        assert version, f"{name} lacks {requirement}: run locked/refresh"
        assert version in requirement.specifier, f"{name} has {version} for {requirement}: run locked/refresh"


def test_what_is_run_is_what_was_tested() -> None:
    run, developed = (locked(name) for name in LOCKS)

    assert {package: developed.get(package) for package in run} == run
