"""Names of classes on the wire: short ones for the library's own, `module:qualname` for all others.

A name is looked up among the classes that are registered and the modules that are loaded. Nothing is imported, not even
by a module's own `__getattr__`: what a host has not loaded, it cannot receive.
"""

import sys
from enum import Enum
from types import ModuleType

import msgspec

__all__ = ["class_of", "has_arrow_door", "is_named_tuple", "name_of", "register"]

_classes: dict[str, type] = {}
_names: dict[type, str] = {}
_ARROW_DOORS = ("__arrow_c_array__", "__arrow_c_stream__")


def register(*classes: type) -> None:
    """Give each class the name it has in its source, without the module. Whoever defines messages calls it once.

    Raises `ValueError` where another class has the name already.
    """
    for cls in classes:
        name = cls.__name__
        other = _classes.get(name, cls)
        if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ValueError(f"{cls.__module__}:{name} and {other.__module__}:{name} would have one name")
        _classes[name] = cls
        _names[cls] = name


def name_of(cls: type) -> str | None:
    """The name of a class on the wire; None where `class_of` would not find it: it is local to a function, or gone."""
    name = _names.get(cls)
    if name is None:
        name = f"{cls.__module__}:{cls.__qualname__}"
        if class_of(name) is not cls:
            return None
    return name


def class_of(name: str) -> type | None:
    """The struct, enumeration, named tuple or Arrow type of that name, if it is registered or its module is loaded."""
    found = _classes.get(name)
    if found is not None:
        return found
    module_name, _, qualname = name.partition(":")
    place: object = sys.modules.get(module_name)
    if not isinstance(place, ModuleType):
        return None
    for part in qualname.split("."):
        place = vars(place).get(part) if isinstance(place, ModuleType | type) else None
    return place if isinstance(place, type) and _may_cross(place) else None


def is_named_tuple(cls: type) -> bool:
    """Whether it is a tuple with named fields."""
    return issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple)


def has_arrow_door(cls: type) -> bool:
    """Whether its values give themselves as Arrow data."""
    return any(hasattr(cls, door) for door in _ARROW_DOORS)


def _may_cross(cls: type) -> bool:
    return issubclass(cls, msgspec.Struct | Enum) or is_named_tuple(cls) or has_arrow_door(cls)
