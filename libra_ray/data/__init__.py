"""Market data: datasets that runs share, importers, the catalog, samples and the synthetic generator."""

from libra_ray.data.dataset import Dataset, Stream
from libra_ray.data.merge import Run, merged_runs

__all__ = ["Dataset", "Run", "Stream", "merged_runs"]
