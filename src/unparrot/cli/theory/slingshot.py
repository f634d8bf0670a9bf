"""`unparrot theory slingshot`: from a larger scale to more skills combined."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unparrot.cli.output import Table, output_options, show
from unparrot.core.errors import BadInput

if TYPE_CHECKING:
    from unparrot.report.draw.chart import Chart
    from unparrot.theory.law.loss_law import LossLaw
    from unparrot.theory.slingshot import Slingshot

STEPS = 61
"""Scale factors on the drawn curve."""


@click.command()
@click.option("--preset", type=click.Choice(("hoffmann", "besiroglu")), help="A published law.")
@click.option(
    "--law",
    "law_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A law of your own: JSON from `unparrot theory fit --json`, or {E, A, B, alpha, beta}.",
)
@click.option("--params", type=float, default=7e9, show_default=True, help="Parameters N now.")
@click.option("--tokens", type=float, default=1.4e11, show_default=True, help="Tokens D now.")
@click.option(
    "--factor", type=float, default=10.0, show_default=True, help="What N and D are multiplied by."
)
@click.option(
    "--theta", type=float, default=0.05, show_default=True, help="Share of pieces failed now."
)
@click.option("--k", type=int, default=32, show_default=True, help="Skills in a piece.")
@click.option(
    "--alpha", type=float, default=0.1, show_default=True, help="Share of the tuples given up."
)
@click.option("--failure", type=float, default=0.1, show_default=True, help="Failure rate to keep.")
@click.option(
    "--bound",
    type=click.Choice(("sharp", "entropic", "classic", "both")),
    default="both",
    show_default=True,
    help="both: sharp and classic.",
)
@click.option("--table", is_flag=True, help="Add 'ten times the scale, twice the skills', by law.")
@output_options
def slingshot(
    preset: str | None,
    law_file: Path | None,
    params: float,
    tokens: float,
    factor: float,
    theta: float,
    k: int,
    alpha: float,
    failure: float,
    bound: str,
    table: bool,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Follow a larger scale to a smaller theta, and on to the k' of skills combined.

    Assumes that theta falls as the excess loss does. 'direct': the largest k' whose own curve keeps
    the failure rate. 'joined': the largest k' by joining k' pieces, one skill from each.

    \b
    Example:
      unparrot theory slingshot --preset hoffmann --params 7e9 --tokens 1.4e11 --factor 10 \\
          --theta 0.02 --k 32 --alpha 0.1 --failure 0.1
      unparrot theory slingshot --preset besiroglu --table
    """
    from unparrot.theory.law.loss_law import PRESETS, read_law
    from unparrot.theory.slingshot import doubling_table
    from unparrot.theory.slingshot import slingshot as follow

    if preset is not None and law_file is not None:
        raise BadInput("--preset and --law exclude each other: a published law, or your own")
    name = preset or (str(law_file) if law_file else "hoffmann")
    law = PRESETS[name] if law_file is None else read_law(law_file)
    bounds = ("sharp", "classic") if bound == "both" else (bound,)
    found = follow(law, params, tokens, factor, theta, k, alpha, failure, bounds=bounds)
    result: dict[str, Any] = {"law": name, **found.as_dict()}
    tables = [_scale_table(found), _reach_table(found)]
    if table:
        laws = PRESETS if law_file is None else {**PRESETS, name: law}
        rows = doubling_table(laws, factor=factor, theta=theta)
        result["doubling"] = [row.as_dict() for row in rows]
        heads = ("law", "path", "N, D", "errors /", "k' times", "factor for 2")
        tables.append(
            Table(
                heads,
                [
                    (
                        row.law,
                        row.path,
                        f"{row.params:.3g}, {row.tokens:.3g}",
                        row.ratio,
                        row.growth,
                        row.factor_to_double,
                    )
                    for row in rows
                ],
                f"{factor:g} times the scale, twice the skills?",
            )
        )
    notes = [
        "Assumes that theta falls as the excess loss does.",
        "k' of 0: not even single skills keep the failure rate.",
    ]

    def chart() -> Chart:
        return _chart(law, found, bounds)

    show(result, tables, as_json, plot, chart, notes)


def _scale_table(found: Slingshot) -> Table:
    later = (found.params * found.factor, found.tokens * found.factor)
    return Table(
        ("", "now", "later"),
        [
            ("parameters", found.params, later[0]),
            ("tokens", found.tokens, later[1]),
            ("excess loss, nats per token", found.excess_now, found.excess_later),
            ("theta", found.theta_now, found.theta_later),
        ],
        f"{found.factor:g} times the scale divides the errors by {found.ratio:.5g}",
    )


def _reach_table(found: Slingshot) -> Table:
    rows: list[tuple[object, ...]] = []
    for entry in found.reach:
        rows.append((entry.bound, "direct", entry.direct_now, entry.direct_later, None, None))
        rows.append(
            (
                entry.bound,
                "joined",
                entry.joined_now,
                entry.joined_later,
                entry.real_now,
                entry.real_later,
            )
        )
    return Table(
        ("bound", "argument", "k' now", "k' later", "unrounded now", "unrounded later"),
        rows,
        f"Largest k': all but {found.alpha:g} of the tuples fail on at most {found.failure:g}",
    )


def _chart(law: LossLaw, found: Slingshot, bounds: tuple[str, ...]) -> Chart:
    from unparrot.report.draw.chart import Chart, Series
    from unparrot.theory.slingshot import joined_tuple

    top = max(found.factor, 100.0)
    factors = [top ** (i / (STEPS - 1)) for i in range(STEPS)]
    ratios = [float(law.excess_ratio(found.params, found.tokens, f)) for f in factors]
    series = [
        Series(
            f"{name} bound",
            factors,
            [
                joined_tuple(found.theta_now / r, found.alpha, found.failure, found.k, bound=name)[
                    1
                ]
                for r in ratios
            ],
        )
        for name in bounds
    ]
    return Chart(
        "The slingshot",
        "Skills combined, k' before rounding down, by joining pieces",
        "scale factor of parameters and tokens",
        series,
        f"The k' that a model reaches against its scale, by {' and '.join(bounds)} bound.",
        x_log=True,
    )
