"""The decorators that compile a kernel with numba, typed so that its signature is kept.

numba's own decorators are untyped; through these a caller sees the function as it was written.
Kernels release the interpreter's lock, so threads of one process can run them at the same time,
and are compiled once per machine (``cache=True``: the machine code lies in ``__pycache__``).

The cache of a kernel notices a change of its own file, not of a kernel that it calls in another
file: after such an edit remove ``__pycache__`` (``make clean``).
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from numba import njit as _njit  # pyright: ignore[reportUnknownVariableType]

P = ParamSpec("P")
R = TypeVar("R")

_FINITE = {"contract", "reassoc", "nsz", "arcp", "nnan", "ninf"}
_INNER = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def _compile(function: Callable[P, R], **options: Any) -> Callable[P, R]:
    decorator = cast(Callable[..., Callable[[Any], Any]], _njit)
    return decorator(cache=True, nogil=True, error_model="numpy", **options)(function)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function for one thread: division as in numpy, no bounds checks, IEEE floats.

    Compilation waits for the first call.
    """
    return _compile(function)


def inner_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function as `kernel` does, for other kernels alone to call.

    Without an entrance from Python it compiles in about two thirds of the time.
    """
    return _compile(function, **_INNER)


def fused_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function as `kernel` does, for float32 arithmetic without inf and NaN.

    Sums may be taken in another order and products fused with them, so that loops vectorise.
    """
    return _compile(function, fastmath=_FINITE)


def inline_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function as `fused_kernel` does, into the fused kernels that call it.

    It has to be inlined: otherwise the process that compiles calls one machine code of it and the
    processes that load the cache another, whose sums differ in the last digits.
    """
    return _compile(function, fastmath=_FINITE, forceinline=True, **_INNER)
