"""Words of a comparison of two models: the row of each k, and what the columns mean."""

from unparrot.analysis.between.compare import ComparedCell, Comparison
from unparrot.core.wording import given, hundredths, p_value, points


def difference_title(comparison: Comparison, cell: ComparedCell) -> str:
    """Return the title of the table that a cell stands in, one for each split and decoding."""
    return f"{comparison.second} minus {comparison.first}: {cell.split}, {cell.decoding}"


def difference_row(cell: ComparedCell, *, narrow: bool = False) -> dict[str, object]:
    """Return the row of a k by the heads of its columns; ``narrow`` for the terminal."""
    return {
        "k": cell.k,
        "n": cell.combinations,
        "1st %": hundredths(cell.first),
        "2nd %": hundredths(cell.second),
        "full marks": points(cell.full_marks.estimate, narrow=narrow),
        "p": p_value(cell.p, narrow=narrow),
        "Holm": p_value(cell.p_adjusted, narrow=narrow),
        "skill fraction": points(cell.skill_fraction.estimate, narrow=narrow),
    }


def difference_notes(comparison: Comparison, level: float) -> list[str]:
    """Return what the columns mean, and what else is to be known of a comparison."""
    return [
        f"n: combinations; differences in points, each with its {given(level)} interval "
        "(full marks: Tango's score interval; skill fraction: bootstrap over combinations).",
        "p: exact, full marks do not differ (McNemar's; with several rounds, all exchanges of the "
        f"two models); {comparison.family}.",
        *comparison.notes,
    ]
