"""The `libra` command. Nothing heavy is imported before a command needs it."""

from libra_ray.cli.entry import main

__all__ = ["main"]
