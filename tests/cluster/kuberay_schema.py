"""What KubeRay's API `ray.io/v1` accepts, as far as our manifests use it: each field with its type, nothing else.

Written by hand from the reference of KubeRay 1.7 (Apache-2.0); a field that is not here is a mistake of ours until it
is added. `LIBRA_KUBERAY_CRDS` names a folder with the project's own definitions (`ray.io_rayjobs.yaml`,
`ray.io_rayclusters.yaml`): then this file is held against them.
"""

from typing import Any

TEXT: dict[str, Any] = {"type": "string"}
COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
FLAG: dict[str, Any] = {"type": "boolean"}
TEXTS: dict[str, Any] = {"type": "object", "additionalProperties": TEXT}
AMOUNT: dict[str, Any] = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
AMOUNTS: dict[str, Any] = {"type": "object", "additionalProperties": AMOUNT}


def closed(*required: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - a schema
    """An object of these fields and no others."""
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": fields}


def listed(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


VOLUME = closed(
    "name",
    name=TEXT,
    emptyDir=closed(medium=TEXT, sizeLimit=AMOUNT),
    persistentVolumeClaim=closed("claimName", claimName=TEXT, readOnly=FLAG),
    hostPath=closed("path", path=TEXT, type=TEXT),
    secret=closed(secretName=TEXT, defaultMode=COUNT),
)
CONTAINER = closed(
    "name",
    name=TEXT,
    image=TEXT,
    env=listed(closed("name", name=TEXT, value=TEXT)),
    ports=listed(closed("containerPort", containerPort=COUNT, name=TEXT)),
    resources=closed(requests=AMOUNTS, limits=AMOUNTS),
    volumeMounts=listed(closed("mountPath", "name", mountPath=TEXT, name=TEXT, readOnly=FLAG)),
)
POD = closed(spec=closed("containers", containers=listed(CONTAINER), volumes=listed(VOLUME)))
CLUSTER = closed(
    "headGroupSpec",
    rayVersion=TEXT,
    authOptions=closed(mode={"type": "string", "enum": ["disabled", "token"]}, secretName=TEXT),
    enableInTreeAutoscaling=FLAG,
    autoscalerOptions=closed(
        version={"type": "string", "enum": ["v1", "v2"]},
        upscalingMode={"type": "string", "enum": ["Default", "Aggressive", "Conservative"]},
        idleTimeoutSeconds=COUNT,
    ),
    headGroupSpec=closed("template", rayStartParams=TEXTS, template=POD),
    workerGroupSpecs=listed(
        closed(
            *("groupName", "maxReplicas", "minReplicas", "template"),
            groupName=TEXT,
            replicas=COUNT,
            minReplicas=COUNT,
            maxReplicas=COUNT,
            rayStartParams=TEXTS,
            template=POD,
        )
    ),
)
JOB = closed(
    entrypoint=TEXT,
    submissionMode=TEXT,
    backoffLimit=COUNT,
    activeDeadlineSeconds=COUNT,
    shutdownAfterJobFinishes=FLAG,
    ttlSecondsAfterFinished=COUNT,
    rayClusterSpec=CLUSTER,
)
SPECS = {"RayCluster": CLUSTER, "RayJob": JOB}


def manifest(kind: str) -> dict[str, Any]:
    """The whole document of a kind."""
    name = {"anyOf": [closed("name", name=TEXT), closed("generateName", generateName=TEXT)]}
    kinds = {"apiVersion": {"const": "ray.io/v1"}, "kind": {"const": kind}}
    return closed("apiVersion", "kind", "metadata", "spec", **kinds, metadata=name, spec=SPECS[kind])
