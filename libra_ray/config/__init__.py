"""Configuration: frozen settings types, and their values from a file, the environment and the command line.

Every error names the place that its value came from: `run.toml:14 risk.max_order_rate`.
"""

from libra_ray.config.ranges import Range, range_of
from libra_ray.config.secrets import is_secret_key, masked, shown_text
from libra_ray.config.settings import Settings
from libra_ray.config.source import ConfigSource
from libra_ray.config.validation import build_settings, errors_of, first_of, read_part, read_settings, setting_errors

__all__ = [
    "ConfigSource",
    "Range",
    "Settings",
    "build_settings",
    "errors_of",
    "first_of",
    "is_secret_key",
    "masked",
    "range_of",
    "read_part",
    "read_settings",
    "setting_errors",
    "shown_text",
]
