"""Attributes of an actor that its host gives: some when it is initialized, not before, and one for reading only."""

from typing import Any, Generic, NoReturn, Self, TypeVar, overload

from libra_ray.errors import NotInitializedError

__all__ = ["Injected", "Kept", "inject"]

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


class Kept(Generic[T_co]):
    """Shows what the host keeps under the name with an underscore before it, and refuses to be set.

    An author who has a `state` of his own would else stop his actor without a word.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T_co: ...
    def __get__(self, instance: object | None, owner: type) -> Self | T_co:
        return self if instance is None else getattr(instance, f"_{self._name}")

    def __set__(self, instance: object, value: object) -> NoReturn:
        name, cls = self._name, type(instance).__name__
        raise AttributeError(f"{cls}.{name} is where its lifecycle stands and not to be set. Give yours another name.")


def inject(instance: object, **values: Any) -> None:  # noqa: ANN401 - each attribute has a type of its own
    """Give `instance` the attributes that its class declares as `Injected`."""
    for name, value in values.items():
        setattr(instance, name, value)
