"""Write demo_marks.txt: what training showed and who had full marks, in a run of the lab.

    python tests/analysis/write_demo_marks.py runs/demo

One line a model and k (greedy texts): model, kind, k, and a digit for every combination in the
order of their ids: 1 if training showed it, plus 2 for full marks.
"""

import sys
from pathlib import Path

from unparrot.analysis.certificate.evidence import read_examination


def main() -> None:
    found = read_examination(Path(sys.argv[1]))
    lines: list[str] = []
    for (model, k), tested in found.tested.items():
        assert tested.trained is not None
        digits = (tested.trained > 0) + 2 * (tested.worst == 1)
        lines.append(f"{model} {found.kinds[model]} {k} {''.join(map(str, digits))}")
    out = Path(__file__).with_name("demo_marks.txt")
    out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
