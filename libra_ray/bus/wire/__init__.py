"""The wire between hosts: frames, links, segments, keys. Only this package imports zmq."""

__all__ = ["frames", "keys", "port", "segments"]
