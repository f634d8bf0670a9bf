"""The loss law L(N, D) = E + A N^-alpha + B D^-beta: loss, excess, slopes, compute-optimal split.

    unparrot theory law --preset hoffmann --params 7e9 --tokens 1.4e11 --factor 10
    unparrot theory law --preset besiroglu --flops 5.76e23

References
----------
Hoffmann et al. (2022), "Training compute-optimal large language models", arXiv:2203.15556, eq. 2
(the law), eq. 4 (the split) and eq. 10 (the constants).
Besiroglu et al. (2024), "Chinchilla scaling: a replication attempt", arXiv:2404.10102.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unparrot.core.errors import BadInput
from unparrot.core.inputs import read_text

# Training FLOP for each parameter and token, C = 6ND: 2 forward, 4 backward (Kaplan et al. 2020,
# arXiv:2001.08361, section 2.1). Attention over the context is left out.
FLOPS_PER_PARAM_TOKEN = 6

NAMES = ("E", "A", "B", "alpha", "beta")


@dataclass(frozen=True, slots=True)
class ScalePoint:
    """What a law says of one model.

    Parameters
    ----------
    params, tokens
        Its size N and its training tokens D.
    flops
        Training FLOP, 6ND.
    loss, excess
        Loss, and loss above the floor E, in nats per token.
    gradient
        dL/dN as ``params`` and dL/dD as ``tokens``.
    """

    params: float
    tokens: float
    flops: float
    loss: float
    excess: float
    gradient: dict[str, float]


@dataclass(frozen=True, slots=True)
class LossLaw:
    """Loss of a model against its parameters N and training tokens D: E + A N^-alpha + B D^-beta.

    Parameters
    ----------
    E
        Floor of the loss in nats per token, the entropy of text; at least 0.
    A, B
        Size of the terms of N and of D, in nats per token at N = 1 and D = 1; above 0.
    alpha, beta
        Exponents; above 0.

    Raises
    ------
    BadInput
        If a constant is out of range or not finite.

    Examples
    --------
    >>> law = PRESETS["hoffmann"]
    >>> round(float(law.loss(70e9, 1.4e12)), 3)
    1.937
    >>> round(float(law.excess_ratio(7e9, 1.4e11, 10)), 4)
    2.001
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            least = "at least 0" if name == "E" else "above 0"
            if not (math.isfinite(value) and (value > 0 or (name == "E" and value == 0))):
                raise BadInput(f"{name} of a loss law must be {least} and finite, not {value!r}")

    def loss(self, params: ArrayLike, tokens: ArrayLike) -> NDArray[np.float64]:
        """Return the loss in nats per token.

        Parameters
        ----------
        params, tokens
            Above 0; numbers or arrays that broadcast.

        Returns
        -------
        ndarray
            Of the broadcast shape; a numpy float for two numbers.

        Raises
        ------
        BadInput
            If a size is not above 0 and finite.
        """
        return self.E + self.excess(params, tokens)

    def excess(self, params: ArrayLike, tokens: ArrayLike) -> NDArray[np.float64]:
        """Return the loss above the floor, A N^-alpha + B D^-beta; arguments as for `loss`."""
        n, d = _size("params", params), _size("tokens", tokens)
        return self.A * n**-self.alpha + self.B * d**-self.beta

    def gradient(
        self, params: ArrayLike, tokens: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return dL/dN and dL/dD, each of the broadcast shape; arguments as for `loss`."""
        n, d = np.broadcast_arrays(_size("params", params), _size("tokens", tokens))
        by_params = -self.alpha * self.A * n ** (-self.alpha - 1)
        by_tokens = -self.beta * self.B * d ** (-self.beta - 1)
        return by_params, by_tokens

    def excess_ratio(
        self, params: ArrayLike, tokens: ArrayLike, factor: ArrayLike
    ) -> NDArray[np.float64]:
        """Return what N and D both times ``factor`` divide the excess by.

        Raises
        ------
        BadInput
            If a size or the factor, or a size times the factor, is not above 0 and finite.
        """
        n, d, times = _size("params", params), _size("tokens", tokens), _size("factor", factor)
        with np.errstate(over="ignore", under="ignore"):
            later = n * times, d * times
        if not all((np.isfinite(size) & (size > 0)).all() for size in later):
            raise BadInput(
                f"a factor of {factor!r} takes params or tokens beyond what a float can hold; take "
                "one nearer to 1"
            )
        return self.excess(n, d) / self.excess(*later)

    def point(self, params: float, tokens: float) -> ScalePoint:
        """Return loss, excess and slopes of one model.

        Raises
        ------
        BadInput
            If a size is not above 0 and finite, or a figure is beyond what a float can hold.
        """
        with np.errstate(over="ignore", under="ignore"):
            excess = float(self.excess(params, tokens))
            by_params, by_tokens = (float(slope) for slope in self.gradient(params, tokens))
        flops = FLOPS_PER_PARAM_TOKEN * params * tokens
        if not all(math.isfinite(x) for x in (flops, excess, by_params, by_tokens)):
            raise BadInput(
                f"a model of {params:g} parameters and {tokens:g} tokens is beyond what a float "
                "can hold; take sizes nearer to those of real models"
            )
        slopes = {"params": by_params, "tokens": by_tokens}
        return ScalePoint(params, tokens, flops, self.E + excess, excess, slopes)

    def allocate(self, flops: float) -> ScalePoint:
        """Return the parameters and tokens of least loss for a training budget.

        Along N D = C/6 the excess is least where alpha A N^-alpha = beta B D^-beta, hence
        N = G (C/6)^(beta/(alpha+beta)) and D = (C/6)/N with
        G = (alpha A / (beta B))^(1/(alpha+beta)) (Hoffmann et al. 2022, eq. 4).

        Parameters
        ----------
        flops
            Budget C in FLOP, above 0.

        Raises
        ------
        BadInput
            If the budget is not above 0 and finite.

        Examples
        --------
        >>> best = PRESETS["besiroglu"].allocate(5.76e23)
        >>> f"{best.params:.3g} {best.tokens:.3g}"
        '7.22e+10 1.33e+12'
        """
        budget = float(_size("flops", flops))
        total = self.alpha + self.beta
        ratio = self.alpha * self.A / (self.beta * self.B)
        product = budget / FLOPS_PER_PARAM_TOKEN
        try:
            params = ratio ** (1 / total) * product ** (self.beta / total)
            tokens = product / params
        except (OverflowError, ZeroDivisionError) as error:
            raise BadInput(
                f"the best split of {budget:g} FLOP by this law is beyond what a float can hold; "
                "take a budget of the size of real ones, or check the law"
            ) from error
        return replace(self.point(params, tokens), flops=budget)


# Published constants, measured on the same training runs (natural text, nats per token)
PRESETS: Final[Mapping[str, LossLaw]] = {
    "hoffmann": LossLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28),
    "besiroglu": LossLaw(E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658),
}

SOURCES: Final[Mapping[str, str]] = {
    "hoffmann": "Hoffmann et al. (2022), arXiv:2203.15556, eq. 10",
    "besiroglu": "Besiroglu et al. (2024), arXiv:2404.10102",
}


def read_law(path: Path) -> LossLaw:
    """Read a law from JSON: what `unparrot theory fit --json` prints, or five plain numbers.

    Parameters
    ----------
    path
        A JSON object with the keys E, A, B, alpha and beta; each a number, or an object that holds
        it as ``value``.

    Raises
    ------
    BadInput
        If the file cannot be read or is no such object; the message names the key.
    """
    try:
        content: object = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadInput(
            f"{path} is not JSON ({error}); make it with: unparrot theory fit FILE.csv --json"
        ) from error
    if not isinstance(content, dict):
        raise BadInput(f"{path} must hold a JSON object with the keys {', '.join(NAMES)}")
    constants: dict[str, float] = {}
    for name in NAMES:
        value: Any = cast("dict[str, Any]", content).get(name)
        if isinstance(value, dict):
            value = cast("dict[str, Any]", value).get("value")
        if value is None and name in ("B", "beta"):
            raise BadInput(
                f"{path} has no {name}: a fit of one variable holds no law of parameters and "
                "tokens; fit a file with the column tokens or flops"
            )
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise BadInput(f"{path} must give a number for {name}, not {value!r}")
        constants[name] = value
    return LossLaw(**constants)


def _size(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """The value as floats, all of them above 0 and finite."""
    sizes = np.asarray(value, dtype=np.float64)
    wrong = ~(np.isfinite(sizes) & (sizes > 0))
    if wrong.any():
        raise BadInput(f"{name} must be above 0 and finite, not {float(sizes[wrong][0])!r}")
    return sizes
