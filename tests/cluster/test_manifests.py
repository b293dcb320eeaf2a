"""Everything in `cluster/` that something else will read: manifests, cluster files, the image."""

import os
import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import ray
import yaml  # type: ignore[import-untyped]  # it comes with Ray, without types
from jsonschema import Draft202012Validator
from ray.autoscaler._private.util import fillout_defaults, validate_config

from tests.cluster.kuberay_schema import SPECS, manifest

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "cluster"
MANIFESTS = {"ray-cluster.yaml": "RayCluster", "ray-job.yaml": "RayJob"}
CLUSTER_FILES = ("ray-cluster.yaml", "ray-cluster-aws.yaml")
SECRET = re.compile(r"password|secret_?key|api_?key|access_?key|auth_token:", re.IGNORECASE)


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    return document


def faults(document: dict[str, Any], kind: str) -> list[str]:
    return [
        f"{error.json_path}: {error.message}" for error in Draft202012Validator(manifest(kind)).iter_errors(document)
    ]


def cluster_spec(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = read(CLUSTER / "kuberay" / name)["spec"]
    return spec.get("rayClusterSpec", spec)  # type: ignore[no-any-return]  # a mapping of either


def pods(name: str) -> Iterator[dict[str, Any]]:
    spec = cluster_spec(name)
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
        yield group["template"]["spec"]


@pytest.mark.parametrize(("name", "kind"), MANIFESTS.items())
def test_a_manifest_has_only_fields_that_the_operator_knows(name: str, kind: str) -> None:
    assert faults(read(CLUSTER / "kuberay" / name), kind) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "shutdownAfterFinish"), True),
        (("spec", "rayClusterSpec", "authOptions", "mode"), "password"),
        (("spec", "rayClusterSpec", "headGroupSpec", "rayStartParams", "num-cpus"), 0),
        (("spec", "rayClusterSpec", "headGroupSpec", "template", "spec", "container"), []),
        (("apiVersion",), "ray.io/v1alpha1"),
    ],
)
def test_a_planted_mistake_is_found(path: tuple[str, ...], value: object) -> None:
    document = deepcopy(read(CLUSTER / "kuberay" / "ray-job.yaml"))
    at = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value

    assert len(faults(document, "RayJob")) == 1


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_asks_for_a_token_grows_to_what_it_says_and_leaves_the_head_without_trials(name: str) -> None:
    spec = cluster_spec(name)
    head, (workers,) = spec["headGroupSpec"], spec["workerGroupSpecs"]
    (head_container,), (container,) = (group["template"]["spec"]["containers"] for group in (head, workers))
    settings = {each["name"]: each["value"] for each in head_container["env"]}
    cores = int(container["resources"]["limits"]["cpu"])

    assert spec["authOptions"] == {"mode": "token"}
    assert spec["enableInTreeAutoscaling"] is True
    assert head["rayStartParams"]["num-cpus"] == "0"
    assert int(settings["LIBRA_CORES_MAX"]) == workers["maxReplicas"] * cores
    assert spec["rayVersion"] == ray.__version__


@pytest.mark.parametrize("name", MANIFESTS)
def test_every_mount_has_its_volume_and_shared_memory_is_larger_than_the_default(name: str) -> None:
    for pod in pods(name):
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        (container,) = pod["containers"]
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert set(mounts.values()) == set(volumes)
        assert volumes[mounts["/dev/shm"]]["emptyDir"]["medium"] == "Memory"  # noqa: S108 - a path in a container
        assert volumes[mounts["/dev/shm"]]["emptyDir"]["sizeLimit"].endswith("Gi")  # noqa: S108 - as above
        assert "/shared" in mounts


@pytest.mark.parametrize("name", CLUSTER_FILES)
def test_a_cluster_file_is_what_ray_up_reads(name: str) -> None:
    document = read(CLUSTER / name)
    if document["provider"]["type"] == "local":  # as `ray up` does it for machines that are there
        workers = len(document["provider"]["worker_ips"])
        assert (document["min_workers"], document["max_workers"]) == (workers, workers)
        document = read(Path(ray.__file__).parent / "autoscaler" / "local" / "defaults.yaml") | document
        document.pop("min_workers")
    else:
        document = fillout_defaults(document)

    validate_config(document)


@pytest.mark.parametrize("name", CLUSTER_FILES)
def test_every_node_of_a_cluster_file_asks_for_the_token_and_the_head_runs_no_trial(name: str) -> None:
    document = read(CLUSTER / name)
    head, worker = (document[f"{side}_start_ray_commands"][-1] for side in ("head", "worker"))

    assert "~/.ray/auth_token" in document["file_mounts"]
    assert "chmod 600 ~/.ray/auth_token" in document["setup_commands"]
    assert "RAY_AUTH_MODE=token" in head
    assert "RAY_AUTH_MODE=token" in worker
    assert "--num-cpus=0" in head
    assert "--dashboard-host=127.0.0.1" in head


def test_the_cloud_template_may_grow_to_the_cores_that_a_sweep_may_ask_for() -> None:
    document = read(CLUSTER / "ray-cluster-aws.yaml")
    worker = document["available_node_types"]["worker"]
    asked = re.search(r"LIBRA_CORES_MAX=(\d+)", document["head_start_ray_commands"][-1])

    assert asked is not None
    assert int(asked[1]) == worker["max_workers"] * worker["resources"]["CPU"]
    assert document["max_workers"] == worker["max_workers"]


def test_no_file_holds_a_secret_or_a_runtime_environment_with_one() -> None:
    files = [path for path in CLUSTER.rglob("*") if path.is_file() and path.suffix in {".yaml", "", ".sh"}]

    assert len(files) >= 5
    assert [path.name for path in files if SECRET.search(path.read_text())] == []
    assert [path.name for path in files if "runtimeEnvYAML" in path.read_text()] == []


def test_the_image_installs_the_library_as_a_package_from_the_lock_and_keeps_what_is_compiled() -> None:
    text = (CLUSTER / "Dockerfile").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    copied = {word for line in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE) for word in line.split()}

    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert {"requirements.lock", "pyproject.toml", "libra_ray", "actors", "cluster"} <= copied
    assert "--require-hashes -r requirements.lock" in text
    assert "NUMBA_CACHE_DIR=/var/cache/libra" in text
    assert "RAY_AUTH_MODE=token" in text
    assert "USER libra" in text
    images = re.findall(
        r"registry\.example\.com/libra-ray:([\d.]+)", "".join(map(_text, CLUSTER.rglob("*.yaml"))) + text
    )
    assert set(images) == {project["version"]}


@pytest.mark.skipif("LIBRA_KUBERAY_CRDS" not in os.environ, reason="needs KubeRay's own definitions")
@pytest.mark.parametrize("kind", SPECS)
def test_our_schema_says_nothing_that_the_operator_does_not(kind: str) -> None:
    document = read(Path(os.environ["LIBRA_KUBERAY_CRDS"]) / f"ray.io_{kind.lower()}s.yaml")
    (theirs,) = [version["schema"] for version in document["spec"]["versions"] if version["name"] == "v1"]

    assert list(_differences(SPECS[kind], theirs["openAPIV3Schema"]["properties"]["spec"], kind)) == []


def _differences(ours: dict[str, Any], theirs: dict[str, Any], place: str) -> Iterator[str]:
    """Fields, types, choices and required fields that are not the same."""
    if "anyOf" in ours:
        if not theirs.get("x-kubernetes-int-or-string"):
            yield f"{place}: not an amount"
        return
    if ours["type"] != theirs.get("type"):
        yield f"{place}: {ours['type']}, theirs is {theirs.get('type')}"
    if ours.get("enum") != theirs.get("enum"):
        yield f"{place}: {ours.get('enum')}, theirs are {theirs.get('enum')}"
    if "properties" in ours and set(ours["required"]) != set(theirs.get("required", [])):
        yield f"{place}: needs {ours['required']}, theirs {theirs.get('required')}"
    for name, schema in ours.get("properties", {}).items():
        if name in theirs.get("properties", {}):
            yield from _differences(schema, theirs["properties"][name], f"{place}.{name}")
        else:
            yield f"{place}.{name}: unknown"
    for key in ("items", "additionalProperties"):
        if isinstance(ours.get(key), dict):
            yield from _differences(ours[key], theirs[key], f"{place}[]")


def _text(path: Path) -> str:
    return path.read_text()
