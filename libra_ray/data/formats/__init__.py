"""Formats of files: one module each, from a raw file to frames; the registry knows them all."""

__all__: list[str] = []
