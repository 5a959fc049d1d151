"""Claims of chapter 08, from the committed runs `scaling`."""

from __future__ import annotations

from inception_edu.study import difference, load_results, summarise
from inception_edu.teach.claims import registered


def _against_the_stem(width: int) -> tuple[bool, str]:
    cells = summarise(load_results("scaling"))
    stem, scaled, full = (cells[f"width {width}, scale {s}"] for s in ("0", "0.1", "1"))
    gain, harm = difference(scaled, stem), difference(full, stem)
    seeds = min(len(cell.values) for cell in (stem, scaled, full))
    return gain.low < 0 < gain.high and harm.high < 0, (
        f"Width {width}, {seeds} seeds: blocks at scale 0.1 add nothing measurable to the stem "
        f"alone ({100 * gain.low:+.1f} to {100 * gain.high:+.1f} points), unscaled ones do harm "
        f"({100 * harm.low:+.1f} to {100 * harm.high:+.1f})."
    )


@registered("08.narrow-blocks")
def narrow_blocks() -> tuple[bool, str]:
    return _against_the_stem(72)


@registered("08.wide-blocks")
def wide_blocks() -> tuple[bool, str]:
    return _against_the_stem(576)
