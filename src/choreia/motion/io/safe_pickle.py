"""Pickles of peers, read by an unpickler that can build numpy arrays of plain numbers, dictionaries of them, and nothing else."""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np

from choreia.errors import ChoreiaError
from choreia.files import read_bytes

_MOST_OPCODES = 100_000


def read(source: Path) -> dict[str, np.ndarray]:
    """The arrays by name of a pickled dictionary; ChoreiaError for anything else."""
    return arrays(read_bytes(source), source)


def arrays(content: bytes, source: Path) -> dict[str, np.ndarray]:
    """The arrays of a dictionary in pickled bytes; the dictionary may be the one item of an object array, as `numpy.save` wraps it."""
    try:
        _check_opcodes(content)
        loaded = _ArrayUnpickler(io.BytesIO(content)).load()
    except ChoreiaError as error:
        raise ChoreiaError(f"{source}: {error}") from error
    except Exception as error:  # a hostile pickle can raise anything
        raise ChoreiaError(f"{source}: not a readable pickle of numpy arrays ({type(error).__name__}: {str(error)[:80]})") from error
    if isinstance(loaded, np.ndarray) and loaded.dtype == object and loaded.size == 1:
        loaded = loaded.item()
    if not isinstance(loaded, dict):
        raise ChoreiaError(f"{source}: the pickle holds no dictionary of arrays")
    numbers = {str(name): np.asarray(value) for name, value in loaded.items() if isinstance(value, (np.ndarray, np.generic, int, float))}
    return {name: values for name, values in numbers.items() if values.dtype != object}


def _check_opcodes(content: bytes) -> None:
    """Refuse pickles that would take memory out of proportion: lengths beyond the file (genops raises), huge memo numbers, many opcodes."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
        if count > _MOST_OPCODES or ("PUT" in opcode.name and isinstance(argument, int) and argument > _MOST_OPCODES):
            raise ChoreiaError("the pickle is not a plain dictionary of arrays")


class _Kind:
    """A dtype of plain numbers, words or objects. Of its pickled state only the byte order counts: flags could turn bytes into pointers."""

    def __init__(self, code: str, align: bool = False, copy: bool = False) -> None:
        if not isinstance(code, str) or code[:1].lower() not in "fiubo" or len(code) > 3:
            raise ChoreiaError("the pickle holds something other than plain numbers")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array(np.ndarray):
    """An array that takes no pickled state whose content is not of its shape: numpy would read on past the end of a short list."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, fortran, content = state
        if isinstance(content, list) != kind.dtype.hasobject or (isinstance(content, list) and len(content) != math.prod(shape)):
            raise ChoreiaError("the pickle holds an array whose content does not fill its shape")
        super().__setstate__((1, shape, kind.dtype, fortran, content))


def _empty_array(kind: object, shape: tuple[int, ...], code: object) -> np.ndarray:
    """Stands in for numpy's `_reconstruct`, which makes an empty array that the pickle then fills."""
    if tuple(shape) != (0,):
        raise ChoreiaError("the pickle builds an array in an unusual way")
    return _Array((0,), np.int8)


def _from_buffer(buffer: bytes, kind: _Kind, shape: tuple[int, ...], order: str) -> np.ndarray:
    """Stands in for numpy's `_frombuffer` (pickle protocol 5)."""
    return np.frombuffer(buffer, kind.dtype).reshape(shape, order=order)  # type: ignore[call-overload]


def _scalar(kind: _Kind, content: bytes) -> np.generic:
    return np.frombuffer(content, kind.dtype, count=1)[0]


def _latin1(text: str, encoding: str) -> bytes:
    """Stands in for `_codecs.encode`, by which Python 3 writes bytes into old pickles."""
    if encoding != "latin1":
        raise ChoreiaError("the pickle encodes text in an unusual way")
    return text.encode("latin1")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): _Kind,
    ("_codecs", "encode"): _latin1,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _empty_array for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
}


class _ArrayUnpickler(pickle.Unpickler):
    """Knows the handful of names by which numpy arrays of plain numbers are pickled, each bound to a harmless stand-in."""

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in; ChoreiaError for any other name."""
        if (module, name) not in _ALLOWED:
            raise ChoreiaError(f"the pickle asks for {module[:40]}.{name[:40]}, which is not a numpy array; it is refused")
        return _ALLOWED[module, name]
