"""`unparrot theory law`: loss, excess, slopes and the compute-optimal split of a loss law."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unparrot.cli.output import Table, output_options, show
from unparrot.core.errors import BadInput

if TYPE_CHECKING:
    from unparrot.report.draw.chart import Chart
    from unparrot.theory.law.loss_law import LossLaw

LINE_POINTS = 120
DECADES = 4  # of compute on each side of what was asked
MOST_LOG = 700.0  # of compute: what a float can hold


@click.command()
@click.option(
    "--preset",
    type=click.Choice(("hoffmann", "besiroglu")),
    help="Published constants.  [default: besiroglu]",
)
@click.option(
    "--law",
    "law_file",
    metavar="FILE.json",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Constants from this file, as `unparrot theory fit --json` prints them.",
)
@click.option("--params", type=float, help="Parameters N of a model.")
@click.option("--tokens", type=float, help="Training tokens D of that model.")
@click.option("--factor", type=float, help="Scale N and D by this and compare.")
@click.option("--flops", type=float, help="Split this budget between N and D, with C = 6ND.")
@output_options
def law(
    preset: str | None,
    law_file: Path | None,
    params: float | None,
    tokens: float | None,
    factor: float | None,
    flops: float | None,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Loss of a model, what a larger one would gain, and the best model for a budget.

    L(N, D) = E + A N^-alpha + B D^-beta, in nats per token. The excess is L - E, all that scale can
    still remove. Without --params, --tokens and --flops the constants are printed.

    \b
    Example:
      unparrot theory law --preset hoffmann --params 7e9 --tokens 1.4e11 --factor 10
      unparrot theory law --law fit.json --flops 5.76e23
    """
    from unparrot.theory.law.loss_law import PRESETS, SOURCES, read_law

    if preset is not None and law_file is not None:
        raise BadInput("--preset and --law exclude each other: published constants, or a file")
    if (params is None) != (tokens is None):
        given, other = ("--params", "--tokens") if tokens is None else ("--tokens", "--params")
        raise BadInput(f"the loss needs both sizes: add {other} to {given}")
    if factor is not None and params is None:
        raise BadInput("--factor scales a model: add its --params and --tokens")
    name = preset or "besiroglu"
    source = SOURCES[name]
    chosen = PRESETS[name]
    if law_file is not None:
        name, source, chosen = law_file.stem, str(law_file), read_law(law_file)
    result: dict[str, Any] = {
        "law": {"name": name, "source": source, **chosen.as_dict()},
        "model": None,
        "scaled": None,
        "allocation": None,
    }
    if params is not None and tokens is not None:
        result["model"] = _model(chosen, params, tokens)
        if factor is not None:
            ratio = float(chosen.excess_ratio(params, tokens, factor))
            scaled = _model(chosen, params * factor, tokens * factor)
            result["scaled"] = {"factor": factor, **scaled, "excess_ratio": ratio}
    if flops is not None:
        result["allocation"] = chosen.allocate(flops).as_dict()
    show(
        result,
        _tables(result),
        as_json,
        plot,
        lambda: _chart(chosen, result),
        _notes(result),
    )


def _model(law: LossLaw, params: float, tokens: float) -> dict[str, Any]:
    import numpy as np

    from unparrot.theory.law.loss_law import FLOPS_PER_PARAM_TOKEN

    with np.errstate(over="ignore", under="ignore"):
        excess = float(law.excess(params, tokens))
        by_params, by_tokens = (float(slope) for slope in law.gradient(params, tokens))
    flops = FLOPS_PER_PARAM_TOKEN * params * tokens
    if not all(math.isfinite(x) for x in (flops, excess, by_params, by_tokens)):
        raise BadInput(
            f"a model of {params:g} parameters and {tokens:g} tokens is beyond what a float can "
            "hold; take sizes nearer to those of real models"
        )
    return {
        "params": params,
        "tokens": tokens,
        "flops": flops,
        "loss": law.E + excess,
        "excess": excess,
        "gradient": {"params": by_params, "tokens": by_tokens},
    }


def _tables(result: dict[str, Any]) -> list[Table]:
    constants = result["law"]
    names = ("E", "A", "B", "alpha", "beta")
    tables = [Table(names, [[constants[n] for n in names]], f"Loss law: {constants['name']}")]
    models = {
        label: result[key]
        for label, key in (("given", "model"), ("scaled", "scaled"), ("best split", "allocation"))
        if result[key] is not None
    }
    if models:
        labels = {
            "params": "parameters N",
            "tokens": "tokens D",
            "flops": "training FLOP",
            "loss": "loss, nats per token",
            "excess": "excess over E",
        }
        rows: list[list[object]] = [
            [label, *(model[key] for model in models.values())] for key, label in labels.items()
        ]
        for key, label in (("params", "dL/dN"), ("tokens", "dL/dD")):
            slopes = [model.get("gradient", {}).get(key) for model in models.values()]
            if any(slope is not None for slope in slopes):
                rows.append([label, *slopes])
        tables.append(Table(("", *models), rows))
    return tables


def _notes(result: dict[str, Any]) -> list[str]:
    source = [f"Constants: {result['law']['source']}."]
    scaled = result["scaled"]
    if scaled is None:
        return source
    return [
        *source,
        f"N and D x {scaled['factor']:g} divide the excess by {scaled['excess_ratio']:.4f}.",
    ]


def _chart(law: LossLaw, result: dict[str, Any]) -> Chart:
    import numpy as np

    from unparrot.report.draw.chart import Chart, Series

    shown = [result[key] for key in ("model", "scaled", "allocation") if result[key] is not None]
    budgets = [model["flops"] for model in shown] or [1e18, 1e26]
    reach = 10.0 ** (DECADES / 2 if len(budgets) > 1 else DECADES)
    first = max(math.log(min(budgets)) - math.log(reach), -MOST_LOG)
    last = min(math.log(max(budgets)) + math.log(reach), MOST_LOG)
    compute = np.exp(np.linspace(first, last, LINE_POINTS))
    best = [law.allocate(c).excess for c in compute.tolist()]
    series = [Series("best split", compute.tolist(), best)]
    model = result["model"]
    if model is not None:
        steps = np.sqrt(compute / model["flops"])
        along = law.excess(model["params"] * steps, model["tokens"] * steps).tolist()
        series.append(Series("N and D alike", compute.tolist(), along, style="dashes"))
    if shown:
        points = [m["flops"] for m in shown], [m["excess"] for m in shown]
        series.append(Series("asked for", *points, style="dots"))
    return Chart(
        "Excess loss against compute",
        f"loss above E = {law.E:g}, nats per token; {result['law']['source']}",
        "training FLOP, C = 6ND",
        series,
        "Excess loss falls as a power of compute along the compute-optimal split of the budget.",
        x_log=True,
        y_log=True,
    )
