"""Signals: small named values that actors publish for each other."""

from typing import TypeAlias

import msgspec

from libra_ray.messages.codec import register

__all__ = ["Signal", "SignalValue"]

SignalValue: TypeAlias = bool | int | float | str | bytes


class Signal(msgspec.Struct, frozen=True):
    """A value under a name, on topic `signals.{name}`. `source` is the actor that published it."""

    name: str
    value: SignalValue
    ts_ns: int
    source: str


register(Signal)
