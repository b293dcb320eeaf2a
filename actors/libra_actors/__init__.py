"""Ready-made actors for `libra_ray`: each is complete, tested and shown by an example.

They are ordinary users of the library: they see its public names only, and none knows another. Take one as it is, or
copy its file and change it. Import from the package of the kind: `from libra_actors.strategies import EmaCross`.
"""

__all__: list[str] = []
