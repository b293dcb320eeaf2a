"""Bytes from one array to another inside compiled code, all at once: a loop over them costs five times as much."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["Bytes", "copy_bytes"]

Bytes = npt.NDArray[np.uint8]
_copy_memory: Final[Any] = cgutils.raw_memcpy


def _copy_bytes(_context: Any, out: Any, at: Any, source: Any, start: Any, count: Any) -> Any:  # noqa: ANN401
    """`out[at : at + count] = source[start : start + count]`, without a look at the bounds, the arrays contiguous."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        pointers = []
        for array, place in ((0, 1), (2, 3)):
            data = context.make_array(signature.args[array])(context, builder, values[array]).data
            pointers.append(builder.gep(data, [values[place]]))
        _copy_memory(builder, *pointers, values[4], 1)
        return context.get_dummy_value()

    return types.void(out, at, source, start, count), write


copy_bytes: Final[Any] = intrinsic(_copy_bytes)
