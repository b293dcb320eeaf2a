"""A slow and obvious second implementation of the simulated venue, written from the specification alone.

It serves to find mistakes of the real one: both run the same scenario document and must agree on every event. It shares
no code with it, computes with decimals and fractions, and is written to be read beside `spec/orders.md` and
`spec/matching.md`, whose sections its comments name.
"""

from libra_ray.testing.reference.result import ReferenceResult, reference_run

__all__ = ["ReferenceResult", "reference_run"]
