"""Hosts: processes that carry actors, the bus between them, and what a supervisor says to them.

`loop.run_host` is what a process runs, `context.HostProgram` what it is given; `actor_carrier` and `bus_host` are what
a host can carry. `status` and `placement` load nothing of all that. Import from the modules.
"""

__all__: list[str] = []
