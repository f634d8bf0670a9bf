"""`unparrot theory law`, `fit` and `slingshot`: from scale to loss, and on to skills combined."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unparrot.cli.command import argument, command, option
from unparrot.cli.output import Answer, Table, table
from unparrot.cli.values import PRESENT_FILE, SEED, Count
from unparrot.core.errors import BadInput
from unparrot.core.wording import given

if TYPE_CHECKING:
    from unparrot.report.draw.chart import Chart
    from unparrot.theory.law.fit import LawFit, PowerFit, Runs
    from unparrot.theory.law.loss_law import LossLaw, ScalePoint
    from unparrot.theory.slingshot import Slingshot

LINE_POINTS = 120
DECADES = 4  # of compute on each side of what was asked
MOST_LOG = 700.0  # of compute: what a float can hold
# Scale factors on the drawn curve of the slingshot
SCALES = 61

_LAW_FILE = option(
    "Constants from this file: JSON of `unparrot theory fit --json`, or {E, A, B, alpha, beta}.",
    PRESENT_FILE,
    "--law",
    metavar="FILE.json",
)


def _chosen(preset: str | None, law_file: Path | None, default: str) -> tuple[str, str, LossLaw]:
    """The name of the law that was asked for, its source, and the law."""
    from unparrot.theory.law.loss_law import PRESETS, SOURCES, read_law

    if preset is not None and law_file is not None:
        raise BadInput("--preset and --law exclude each other: published constants, or a file")
    if law_file is not None:
        return law_file.stem, str(law_file), read_law(law_file)
    name = preset or default
    return name, SOURCES[name], PRESETS[name]


@command(plots=True)
def law(
    preset: Literal["hoffmann", "besiroglu"] | None = option(
        "Published constants.  [default: besiroglu]"
    ),
    law_file: Path | None = _LAW_FILE,
    params: float | None = option("Parameters N of a model."),
    tokens: float | None = option("Training tokens D of that model."),
    factor: float | None = option("Scale N and D by this and compare."),
    flops: float | None = option("Split this budget between N and D, with C = 6ND."),
) -> Answer:
    """Loss of a model, what a larger one would gain, and the best model for a budget.

    L(N, D) = E + A N^-alpha + B D^-beta, in nats per token. The excess is L - E, all that scale can
    still remove. Without --params, --tokens and --flops the constants are printed.

    Examples:
      unparrot theory law --preset hoffmann --params 7e9 --tokens 1.4e11 --factor 10
      unparrot theory law --law fit.json --flops 5.76e23
    """
    name, source, chosen = _chosen(preset, law_file, "besiroglu")
    if (params is None) != (tokens is None):
        present, other = ("--params", "--tokens") if tokens is None else ("--tokens", "--params")
        raise BadInput(f"the loss needs both sizes: add {other} to {present}")
    if factor is not None and params is None:
        raise BadInput("--factor scales a model: add its --params and --tokens")
    points: dict[str, ScalePoint] = {}
    scaled: dict[str, Any] | None = None
    notes = [f"Constants: {source}."]
    if params is not None and tokens is not None:
        points["given"] = chosen.point(params, tokens)
        if factor is not None:
            ratio = float(chosen.excess_ratio(params, tokens, factor))
            points["scaled"] = chosen.point(params * factor, tokens * factor)
            scaled = {"factor": factor, **asdict(points["scaled"]), "excess_ratio": ratio}
            notes.append(f"N and D x {factor:g} divide the excess by {ratio:.4f}.")
    if flops is not None:
        points["best split"] = chosen.allocate(flops)
    constants = chosen.as_dict()
    result = {
        "law": {"name": name, "source": source, **constants},
        "model": points.get("given"),
        "scaled": scaled,
        "allocation": points.get("best split"),
    }
    tables = [table([constants], f"Loss law: {name}"), _sizes(points)]
    return Answer(result, tables, notes, lambda: _excess_chart(chosen, source, points))


def _sizes(points: dict[str, ScalePoint]) -> Table:
    lines: dict[str, Callable[[ScalePoint], float]] = {
        "parameters N": lambda p: p.params,
        "tokens D": lambda p: p.tokens,
        "training FLOP": lambda p: p.flops,
        "loss, nats per token": lambda p: p.loss,
        "excess over E": lambda p: p.excess,
        "dL/dN": lambda p: p.gradient["params"],
        "dL/dD": lambda p: p.gradient["tokens"],
    }
    rows = [[label, *map(figure, points.values())] for label, figure in lines.items() if points]
    return Table(["", *points], rows)


def _excess_chart(law: LossLaw, source: str, points: dict[str, ScalePoint]) -> Chart:
    import numpy as np

    from unparrot.report.draw.chart import Chart, Series

    shown = [point.flops for point in points.values()]
    budgets = shown or [1e18, 1e26]
    reach = math.log(10) * (DECADES / 2 if len(budgets) > 1 else DECADES)
    first = max(math.log(min(budgets)) - reach, -MOST_LOG)
    last = min(math.log(max(budgets)) + reach, MOST_LOG)
    compute = np.exp(np.linspace(first, last, LINE_POINTS))
    budget: list[float] = compute.tolist()
    series = [Series("best split", budget, [law.allocate(c).excess for c in budget])]
    model = points.get("given")
    if model is not None:
        steps = np.sqrt(compute / model.flops)
        along = law.excess(model.params * steps, model.tokens * steps).tolist()
        series.append(Series("N and D alike", budget, along, style="dashes"))
    if shown:
        excess = [point.excess for point in points.values()]
        series.append(Series("asked for", shown, excess, "dots"))
    return Chart(
        "Excess loss against compute",
        f"loss above E = {law.E:g}, nats per token; {source}",
        "training FLOP, C = 6ND",
        series,
        x_log=True,
        y_log=True,
    )


@command(plots=True)
def fit(
    file: Path = argument(PRESENT_FILE),
    floor: float | None = option("Known floor E: fit L = E + A N^-alpha to params and loss alone."),
    resamples: int = option("Bootstrap samples; 0 for no intervals.", Count(), default=1000),
    level: float = option("Of the intervals.", default=0.95),
    delta: float = option("Of the Huber function.", default=1e-3),
    seed: int = option("Of the bootstrap.", SEED, default=1),
) -> Answer:
    """Fit L = E + A N^-alpha + B D^-beta to training runs.

    FILE is CSV with the columns params, tokens, loss, or flops in place of tokens (C = 6ND). Runs
    that cannot fix the constants are refused, with what is missing. With --floor the least-squares
    line of log excess on log N is fitted instead, with Student's t intervals: for a ladder of a few
    sizes where the floor is known.

    Examples:
      unparrot theory fit runs.csv --json > law.json
      unparrot theory law --law law.json --flops 1e24
      unparrot theory fit ladder.csv --floor 1.25
    """
    from unparrot.theory.law.fit import fit_law, fit_power, read_runs

    runs = read_runs(file)
    if floor is not None:
        power = fit_power(runs.params, runs.loss, floor=floor, level=level, delta=delta)
        return _fitted(power, ("E", "A", "alpha"), lambda: _ladder(runs, power))
    if runs.tokens is None:
        raise BadInput(
            f"{file} has no column tokens or flops; add one of them, or give the known floor of "
            "the loss with --floor to fit params alone"
        )
    columns = runs.params, runs.tokens, runs.loss
    fitted = fit_law(*columns, seed=seed, resamples=resamples, level=level, delta=delta)
    return _fitted(fitted, ("E", "A", "B", "alpha", "beta"), lambda: _residuals(runs, fitted))


def _fitted(fit: LawFit | PowerFit, names: tuple[str, ...], chart: Callable[[], Chart]) -> Answer:
    constants = {name: getattr(fit, name) for name in names}
    level = given(fit.level)
    rows = [
        {"constant": name, "value": e.value, f"{level} low": e.low, f"{level} high": e.high}
        for name, e in constants.items()
    ]
    notes = [
        f"{fit.n} runs; {fit.method}.",
        f"Huber sum of log-loss residuals (delta {fit.delta:g}): {fit.huber:.6g}.",
    ]
    return Answer(fit, [table(rows)], notes, chart)


def _residuals(runs: Runs, fitted: LawFit) -> Chart:
    from unparrot.report.draw.chart import Chart, Series

    assert runs.tokens is not None
    predicted = fitted.law.loss(runs.params, runs.tokens).tolist()
    ends = [min(predicted), max(predicted)]
    return Chart(
        "The fitted law beside the runs",
        f"measured loss, nats per token; {fitted.n} runs",
        "predicted loss, nats per token",
        [
            Series("equal", ends, ends, quiet=True),
            Series("runs", predicted, runs.loss.tolist(), "dots"),
        ],
    )


def _ladder(runs: Runs, power: PowerFit) -> Chart:
    import numpy as np

    from unparrot.report.draw.chart import Chart, Series

    assert power.E.value is not None
    first, last = float(np.log(runs.params.min())), float(np.log(runs.params.max()))
    sizes = np.exp(np.linspace(first, last, LINE_POINTS))
    excess = runs.loss - power.E.value
    return Chart(
        "Excess loss against parameters",
        f"loss above E = {power.E.value:g}, nats per token; {power.n} runs",
        "parameters N",
        [
            Series("A N^-alpha", sizes.tolist(), power.excess(sizes).tolist()),
            Series("runs", runs.params.tolist(), excess.tolist(), "dots"),
        ],
        x_log=True,
        y_log=True,
    )


@command(plots=True)
def slingshot(
    preset: Literal["hoffmann", "besiroglu"] | None = option(
        "A published law.  [default: hoffmann]"
    ),
    law_file: Path | None = _LAW_FILE,
    params: float = option("Parameters N now.", default=7e9),
    tokens: float = option("Tokens D now.", default=1.4e11),
    factor: float = option("What N and D are multiplied by.", default=10.0),
    theta: float = option("Share of pieces failed now.", default=0.05),
    k: int = option("Skills in a piece.", default=32),
    alpha: float = option("Share of the tuples given up.", default=0.1),
    failure: float = option("Failure rate to keep.", default=0.1),
    bound: Literal["sharp", "entropic", "classic", "both"] = option(
        "both: sharp and classic.", default="both"
    ),
    doubling: bool = option(
        "Add 'ten times the scale, twice the skills', by law.", None, "--table"
    ),
) -> Answer:
    """Follow a larger scale to a smaller theta, and on to the k' of skills combined.

    Assumes that theta falls as the excess loss does. 'direct': the largest k' whose own curve keeps
    the failure rate. 'joined': the largest k' by joining k' pieces, one skill from each.

    Examples:
      unparrot theory slingshot --preset hoffmann --params 7e9 --tokens 1.4e11 --factor 10 \\
          --theta 0.02 --k 32 --alpha 0.1 --failure 0.1
      unparrot theory slingshot --preset besiroglu --table
    """
    from unparrot.theory.law.loss_law import PRESETS
    from unparrot.theory.slingshot import doubling_table
    from unparrot.theory.slingshot import slingshot as follow

    _, source, chosen = _chosen(preset, law_file, "hoffmann")
    name = preset or (source if law_file else "hoffmann")
    bounds = ("sharp", "classic") if bound == "both" else (bound,)
    path = follow(chosen, params, tokens, factor, theta, k, alpha, failure, bounds=bounds)
    result: dict[str, Any] = {"law": name, **asdict(path)}
    tables = [_scale_table(path), _reach_table(path)]
    if doubling:
        laws = PRESETS if law_file is None else {**PRESETS, name: chosen}
        rows = doubling_table(laws, factor=factor, theta=theta)
        result["doubling"] = rows
        lines = [
            {
                "law": row.law,
                "path": row.path,
                "N, D": f"{row.params:.3g}, {row.tokens:.3g}",
                "errors /": row.ratio,
                "k' times": row.growth,
                "factor for 2": row.factor_to_double,
            }
            for row in rows
        ]
        tables.append(table(lines, f"{factor:g} times the scale, twice the skills?"))
    notes = [
        "Assumes that theta falls as the excess loss does.",
        "k' of 0: not even single skills keep the failure rate.",
    ]
    return Answer(result, tables, notes, lambda: _slingshot_chart(chosen, path, bounds))


def _scale_table(path: Slingshot) -> Table:
    later = (path.params * path.factor, path.tokens * path.factor)
    return Table(
        ("", "now", "later"),
        [
            ("parameters", path.params, later[0]),
            ("tokens", path.tokens, later[1]),
            ("excess loss, nats per token", path.excess_now, path.excess_later),
            ("theta", path.theta_now, path.theta_later),
        ],
        f"{path.factor:g} times the scale divides the errors by {path.ratio:.5g}",
    )


def _reach_table(path: Slingshot) -> Table:
    rows: list[tuple[object, ...]] = []
    for reach in path.reach:
        joined = (reach.joined_now, reach.joined_later, reach.real_now, reach.real_later)
        rows.append((reach.bound, "direct", reach.direct_now, reach.direct_later, None, None))
        rows.append((reach.bound, "joined", *joined))
    return Table(
        ("bound", "argument", "k' now", "k' later", "unrounded now", "unrounded later"),
        rows,
        f"Largest k': all but {path.alpha:g} of the tuples fail on at most {path.failure:g}",
    )


def _slingshot_chart(law: LossLaw, path: Slingshot, bounds: tuple[str, ...]) -> Chart:
    from unparrot.report.draw.chart import Chart, Series
    from unparrot.theory.slingshot import joined_tuple

    top = max(path.factor, 100.0)
    factors = [top ** (i / (SCALES - 1)) for i in range(SCALES)]
    ratios = [float(law.excess_ratio(path.params, path.tokens, f)) for f in factors]

    def unrounded(ratio: float, bound: str) -> float | None:
        theta = path.theta_now / ratio
        return joined_tuple(theta, path.alpha, path.failure, path.k, bound=bound)[1]

    return Chart(
        "The slingshot",
        "Skills combined, k' before rounding down, by joining pieces",
        "scale factor of parameters and tokens",
        [Series(f"{name} bound", factors, [unrounded(r, name) for r in ratios]) for name in bounds],
        x_log=True,
    )
