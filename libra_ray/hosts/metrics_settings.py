"""Where the metrics of a deployment are served. Apart from what serves them, which takes a library to import."""

from pydantic import Field

from libra_ray.config import Settings

__all__ = ["MetricsSettings"]


class MetricsSettings(Settings):
    """`[metrics]` of a run file.

    Attributes:
        port: where Prometheus finds the metrics, at `/metrics`; 0 is nowhere.
        address: who may look, for nobody is asked for a password: this machine alone, or all that reach the address.
    """

    port: int = Field(default=0, ge=0, le=65_535)
    address: str = Field(default="127.0.0.1", min_length=1)
