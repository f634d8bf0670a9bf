"""A made-up study on disk, and models of a study without one."""

import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest

from unparrot.analysis.study.study_models import Measured, Shape
from unparrot.analysis.theory.growth import Excess, ModelGrowth
from unparrot.core.studies import Value

Make = Callable[..., Measured]


@pytest.fixture(scope="session")
def study(ladder_runs: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seeds and one that is not finished; 139k at 1.3M is absent from seed 2."""
    return ladder_runs.write_ladder_study(
        tmp_path_factory.mktemp("study"),
        absent=[(2, "139k at 1.3M")],
        unfinished=1,
        last_k=12,
    )


@pytest.fixture
def make() -> Make:
    """A model whose counts are exact: k50 = scale excess^-0.8, c = 1.3, k from 1 to 8."""

    def model(
        seed: int = 1,
        width: int = 16,
        excess: float = 0.1,
        scale: float = 0.5,
        pairs: float = 1.0,
        axes: dict[str, Value] | None = None,
        tokens: int = 1000,
    ) -> Measured:
        k50 = scale * excess**-0.8
        k = np.arange(1.0, 9.0)
        seen, apart = (
            np.column_stack([k, np.full(8, 1e6), 1e6 * (1 - 0.5 ** ((k / at) ** 1.3))])
            for at in (k50, pairs * k50)
        )
        growth = ModelGrowth(
            f"{width}", 10 * width, tokens, Excess(excess, None, None), *[None] * 5, ()
        )
        run = f"{axes or {}}-{seed}"
        nothing = pl.DataFrame()
        shape = Shape(2, width, 0)
        return Measured(run, axes or {}, seed, shape, 8, growth, nothing, seen, apart[1:])

    assert math.isfinite(model().seen.sum())
    return model
