"""`unparrot theory law`, `fit` and `slingshot`: from scale to loss, and on to skills combined."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unparrot.cli.command import argument, command, option
from unparrot.cli.output import Answer, Table, table
from unparrot.cli.values import OPEN_SHARE, PRESENT_FILE, SEED, Count
from unparrot.core.errors import BadInput
from unparrot.core.wording import given, plural
from unparrot.report.draw.chart import Chart, Series

if TYPE_CHECKING:
    from unparrot.theory.law.fit import LawFit
    from unparrot.theory.law.loss_law import LossLaw, ScalePoint
    from unparrot.theory.law.power_law import PowerFit
    from unparrot.theory.law.runs import Runs
    from unparrot.theory.slingshot import Slingshot

LINE_POINTS = 120
DECADES = 4  # of compute on each side of what was asked
MOST_LOG = 700.0  # of compute: what a float can hold

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
    constants = asdict(chosen)
    result = {
        "law": {"name": name, "source": source, **constants},
        "model": points.get("given"),
        "scaled": scaled,
        "allocation": points.get("best split"),
    }
    labels = ("parameters N", "tokens D", "training FLOP", "loss, nats per token", "excess over E",
              "dL/dN", "dL/dD")  # fmt: skip
    columns = [
        (p.params, p.tokens, p.flops, p.loss, p.excess, *p.gradient.values())
        for p in points.values()
    ]
    sizes = list(zip(labels, *columns, strict=True)) if points else []
    tables = [table([constants], f"Loss law: {name}"), Table(["", *points], sizes)]
    return Answer(result, tables, notes, lambda: _excess_chart(chosen, source, points))


def _excess_chart(law: LossLaw, source: str, points: dict[str, ScalePoint]) -> Chart:
    import numpy as np

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
    resamples: int = option(
        "Bootstrap samples; 0 for no intervals.", Count(0, 1_000_000), default=1000
    ),
    level: float = option("Of the intervals.", OPEN_SHARE, default=0.95),
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
    from unparrot.theory.law.fit import fit_law
    from unparrot.theory.law.power_law import fit_power
    from unparrot.theory.law.runs import read_runs

    runs = read_runs(file, floor or 0.0)
    if floor is not None:
        power = fit_power(runs.params, runs.loss, floor=floor, level=level)
        predicted = floor + power.excess(runs.params)
        return _fitted(power, runs, predicted.tolist())
    if runs.tokens is None:
        raise BadInput(
            f"{file} has no column tokens or flops; add one of them, or give the known floor of "
            "the loss with --floor to fit params alone"
        )
    columns = runs.params, runs.tokens, runs.loss
    fitted = fit_law(*columns, seed=seed, resamples=resamples, level=level)
    predicted = fitted.law.loss(runs.params, runs.tokens)
    return _fitted(fitted, runs, predicted.tolist())


def _fitted(fit: LawFit | PowerFit, runs: Runs, predicted: list[float]) -> Answer:
    from unparrot.theory.law.lawspace import DELTA
    from unparrot.theory.law.loss_law import NAMES

    constants = {name: getattr(fit, name) for name in NAMES if getattr(fit, name) is not None}
    level = given(fit.level)
    rows = [
        {"constant": name, "value": e.value, f"{level} low": e.low, f"{level} high": e.high}
        for name, e in constants.items()
    ]
    notes = [
        f"{plural(fit.n, 'run')}; {fit.method}.",
        f"Huber sum of log-loss residuals (delta {DELTA:g}): {fit.huber:.6g}.",
    ]
    return Answer(fit, [table(rows)], notes, lambda: _residuals(runs, predicted))


def _residuals(runs: Runs, predicted: list[float]) -> Chart:
    ends = [min(predicted), max(predicted)]
    return Chart(
        "The fitted law beside the runs",
        f"measured loss, nats per token; {plural(len(predicted), 'run')}",
        "predicted loss, nats per token",
        [
            Series("equal", ends, ends, quiet=True),
            Series("runs", predicted, runs.loss.tolist(), "dots"),
        ],
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
    scales = [
        ("parameters", path.params, path.params * path.factor),
        ("tokens", path.tokens, path.tokens * path.factor),
        ("excess loss, nats per token", path.excess_now, path.excess_later),
        ("theta", path.theta_now, path.theta_later),
    ]
    reached: list[tuple[object, ...]] = []
    for r in path.reach:
        reached.append((r.bound, "direct", r.direct_now, r.direct_later, None, None))
        joined = (r.joined_now, r.joined_later, r.real_now, r.real_later)
        reached.append((r.bound, "joined", *joined))
    heads = ("bound", "argument", "k' now", "k' later", "unrounded now", "unrounded later")
    title = f"{path.factor:g} times the scale divides the errors by {path.ratio:.5g}"
    goal = f"Largest k': all but {path.alpha:g} of the tuples fail on at most {path.failure:g}"
    tables = [Table(("", "now", "later"), scales, title), Table(heads, reached, goal)]
    if doubling:
        laws = PRESETS if law_file is None else {**PRESETS, name: chosen}
        rows = doubling_table(laws, factor=factor, theta=theta)
        result["doubling"] = rows
        heads = ("law", "path", "N, D", "errors /", "k' times", "factor for 2")
        lines: list[tuple[object, ...]] = []
        for row in rows:
            figures = (row.ratio, row.growth, row.factor_to_double)
            lines.append((row.law, row.path, f"{row.params:.3g}, {row.tokens:.3g}", *figures))
        tables.append(Table(heads, lines, f"{factor:g} times the scale, twice the skills?"))
    notes = [
        "Assumes that theta falls as the excess loss does.",
        "k' of 0: not even single skills keep the failure rate.",
    ]
    return Answer(result, tables, notes, lambda: _slingshot_chart(chosen, path))


def _slingshot_chart(law: LossLaw, path: Slingshot) -> Chart:
    top = max(path.factor, 100.0)
    factors = [top ** (i / (LINE_POINTS - 1)) for i in range(LINE_POINTS)]
    ratios = [float(law.excess_ratio(path.params, path.tokens, f)) for f in factors]
    single = [math.log1p(-path.theta_now / ratio) for ratio in ratios]
    series: list[Series] = []
    for reach in path.reach:
        allowed = None if reach.theta_allowed is None else math.log1p(-reach.theta_allowed)
        reached = [None if allowed is None else allowed / log for log in single]
        series.append(Series(f"{reach.bound} bound", factors, reached))
    return Chart(
        "The slingshot",
        "Skills combined, k' before rounding down, by joining pieces",
        "scale factor of parameters and tokens",
        series,
        x_log=True,
    )
