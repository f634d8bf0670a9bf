"""`unparrot theory fit`: the loss law of a table of training runs, with intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unparrot.cli.output import Count, Table, output_options, show
from unparrot.core.errors import BadInput

if TYPE_CHECKING:
    from unparrot.report.draw.chart import Chart
    from unparrot.theory.law.fit import LawFit, PowerFit, Runs

LINE_POINTS = 100


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--floor",
    type=float,
    help="Known floor E: fit L = E + A N^-alpha to params and loss alone.",
)
@click.option(
    "--resamples",
    type=Count(),
    default="1000",
    show_default=True,
    help="Bootstrap samples; 0 for no intervals.",
)
@click.option("--level", type=float, default=0.95, show_default=True, help="Of the intervals.")
@click.option("--delta", type=float, default=1e-3, show_default=True, help="Of the Huber function.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@output_options
def fit(
    file: Path,
    floor: float | None,
    resamples: int,
    level: float,
    delta: float,
    seed: int,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Fit L = E + A N^-alpha + B D^-beta to training runs.

    FILE is CSV with the columns params, tokens, loss, or flops in place of tokens (C = 6ND). Runs
    that cannot fix the constants are refused, with what is missing. With --floor the least-squares
    line of log excess on log N is fitted instead, with Student's t intervals: for a ladder of a few
    sizes where the floor is known.

    \b
    Example:
      unparrot theory fit runs.csv --json > law.json
      unparrot theory law --law law.json --flops 1e24
      unparrot theory fit ladder.csv --floor 1.25
    """
    from unparrot.theory.law.fit import fit_law, fit_power, read_runs

    runs = read_runs(file)
    if floor is not None:
        power = fit_power(runs.params, runs.loss, floor=floor, level=level, delta=delta)
        show(
            power.as_dict(),
            [_table(power.as_dict(), ("E", "A", "alpha"))],
            as_json,
            plot,
            lambda: _ladder(runs, power),
            _notes(power.as_dict()),
        )
        return
    if runs.tokens is None:
        raise BadInput(
            f"{file} has no column tokens or flops; add one of them, or give the known floor of "
            "the loss with --floor to fit params alone"
        )
    found = fit_law(
        runs.params,
        runs.tokens,
        runs.loss,
        seed=seed,
        resamples=resamples,
        level=level,
        delta=delta,
    )
    show(
        found.as_dict(),
        [_table(found.as_dict(), ("E", "A", "B", "alpha", "beta"))],
        as_json,
        plot,
        lambda: _agreement(runs, found),
        _notes(found.as_dict()),
    )


def _table(result: dict[str, Any], names: tuple[str, ...]) -> Table:
    rows = [[name, *(result[name][part] for part in ("value", "low", "high"))] for name in names]
    percent = f"{100 * result['level']:g} %"
    return Table(("constant", "value", f"{percent} low", f"{percent} high"), rows)


def _notes(result: dict[str, Any]) -> list[str]:
    return [
        f"{result['n']} runs; {result['method']}.",
        f"Huber sum of log-loss residuals (delta {result['delta']:g}): {result['huber']:.6g}.",
    ]


def _agreement(runs: Runs, found: LawFit) -> Chart:
    from unparrot.report.draw.chart import Chart, Series

    assert runs.tokens is not None
    predicted = found.law.loss(runs.params, runs.tokens).tolist()
    ends = [min(predicted), max(predicted)]
    return Chart(
        "The fitted law beside the runs",
        f"measured loss, nats per token; {found.n} runs",
        "predicted loss, nats per token",
        [
            Series("equal", ends, ends, quiet=True),
            Series("runs", predicted, runs.loss.tolist(), "dots"),
        ],
        "Measured against predicted loss of every run; on the line they are equal.",
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
        "Excess loss of every run and the fitted power of the parameters, on logarithmic axes.",
        x_log=True,
        y_log=True,
    )
