"""Lockstep: one backtest over several processes, to prove that actors apart do what they do together.

Every host replays the market from the same mapped data and computes the whole kernel, but runs the handlers of its own
actors only. `cast` puts stand-ins in the place of the others, `exchange` carries what was done and promises that
nothing was, `part` is one host's run, `start` makes a Ray actor of each host and compares what they say.
"""

__all__: list[str] = []
