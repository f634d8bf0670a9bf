"""Packed rows of a corpus folder, memory-mapped, and the batches cut from them.

A folder holds tokens.npy (uint16), segment.npy (uint8), position.npy (uint16) and loss.npy (bool),
all [rows, length]. `loss` is true where the next token of the row is to be predicted.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from unparrot.core.errors import BadInput
from unparrot.lab.training.model import MAX_POSITIONS, Batch


class Rows:
    """The rows of one folder. BadInput if a file is missing or the shapes differ."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.tokens = self._load("tokens")
        self.segment = self._load("segment")
        self.position = self._load("position")
        self.loss = self._load("loss")

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def digest(self) -> str:
        """sha256 of all four arrays, to tell one corpus from another."""
        total = hashlib.sha256()
        for array in (self.tokens, self.segment, self.position, self.loss):
            total.update(str(array.shape).encode())
            total.update(np.ascontiguousarray(array).data)
        return total.hexdigest()

    def _load(self, name: str) -> npt.NDArray[Any]:
        path = self.folder / f"{name}.npy"
        if not path.is_file():
            raise BadInput(f"{path} does not exist; write the corpus there first")
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        wanted = self.tokens.shape if name != "tokens" else array.shape
        if array.ndim != 2 or array.shape != wanted or not len(array):
            raise BadInput(f"{path} has shape {array.shape}; wanted {wanted}, at least one row")
        return array

    def batch(self, start: int, count: int, device: torch.device) -> tuple[Batch, int]:
        """Rows start .. start + count - 1, wrapping round at the end, and their tokens (padding
        not counted)."""
        index = np.arange(start, start + count) % len(self)
        if index[0] <= index[-1]:  # a slice reads the mapped file without gathering
            return self._cut(slice(int(index[0]), int(index[-1]) + 1), device)
        return self._cut(index, device)

    def _cut(self, rows: Any, device: torch.device) -> tuple[Batch, int]:
        tokens = self.tokens[rows].astype(np.int64)
        segment = self.segment[rows].astype(np.int64)
        position = self.position[rows].astype(np.int64)
        loss = self.loss[rows]
        if loss[:, -1].any() or int(position.max()) >= MAX_POSITIONS:
            raise BadInput(
                f"{self.folder}: a row asks for a token after its end, or has a position of "
                f"{MAX_POSITIONS} or more; write the corpus again"
            )
        where = np.flatnonzero(loss)
        arrays = (tokens, position, segment, where, tokens.reshape(-1)[where + 1])
        tensors = (torch.from_numpy(np.ascontiguousarray(a)).to(device) for a in arrays)
        return Batch(*tensors), int(np.count_nonzero(segment))
