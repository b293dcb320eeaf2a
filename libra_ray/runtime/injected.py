"""Attributes that an actor gets when it is initialized, not before."""

from typing import Any, Generic, Self, TypeVar, overload

from libra_ray.errors import NotInitializedError

__all__ = ["Injected", "inject"]

T_co = TypeVar("T_co", covariant=True)


class Injected(Generic[T_co]):
    """Raises `NotInitializedError`, naming the attribute, until the instance has one of that name.

    It has no `__set__`, so an attribute of the instance hides it: after INITIALIZE a read is a plain attribute read.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T_co: ...
    def __get__(self, instance: object | None, owner: type) -> Self | T_co:
        if instance is None:
            return self
        raise NotInitializedError(owner.__name__, self._name)


def inject(instance: object, **values: Any) -> None:  # noqa: ANN401 - each attribute has a type of its own
    """Give `instance` the attributes that its class declares as `Injected`."""
    for name, value in values.items():
        setattr(instance, name, value)
