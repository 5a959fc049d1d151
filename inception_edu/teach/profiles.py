"""Where a network's time goes: by kind of operation, and beside the multiply-adds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

KINDS = {
    "convolution": ("convolution",),
    "batch norm": ("batch_norm",),
    "ReLU": ("threshold", "clamp_min", "relu"),
    "pooling": ("pool",),
    "joining and adding": ("cat", "add"),
    "optimizer": ("Optimizer", "_foreach"),
}
REST = "everything else"


def _kind(name: str) -> str:
    for kind, words in KINDS.items():
        if any(word in name for word in words):
            return kind
    return REST


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the profiler's own log, which would stand between a notebook's outputs."""
    chosen = os.environ.get("KINETO_LOG_LEVEL")
    os.environ["KINETO_LOG_LEVEL"] = chosen or "99"
    try:
        yield
    finally:
        if chosen is None:
            del os.environ["KINETO_LOG_LEVEL"]


def time_shares(step: Callable[[], Any], repeats: int = 3) -> dict[str, float]:
    """Per cent of the processor's time by kind of operation, over `repeats` calls of `step`; one
    call before them does not count."""
    from torch.profiler import ProfilerActivity, profile

    step()
    with _quiet(), profile(activities=[ProfilerActivity.CPU]) as seen:
        for _ in range(repeats):
            step()
    found = dict.fromkeys([*KINDS, REST], 0.0)
    for row in seen.key_averages():
        found[_kind(row.key)] += row.self_cpu_time_total
    total = sum(found.values())
    return {kind: 100 * used / total for kind, used in found.items()}


def share_bars(shares: Mapping[str, Mapping[str, float]], xlabel: str) -> Any:
    """One bar to 100 % for each name, cut into its kinds, as a picture with its words."""
    from inception_edu.teach import plots

    names = list(shares)
    kinds: Sequence[str] = list(shares[names[0]])
    fig = plots.figure(8.4, 0.8 + 0.7 * len(names))
    axis = fig.add_subplot()
    left = [0.0] * len(names)
    for kind, colour in zip(kinds, [*plots.COLOURS, "#999999"]):
        widths = [shares[name][kind] for name in names]
        axis.barh(names, widths, 0.6, left, color=colour, label=kind)
        left = [start + width for start, width in zip(left, widths)]
    axis.invert_yaxis()
    axis.set(xlim=(0, 100), xlabel=xlabel)
    axis.legend(ncols=4, frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1))
    said = "; ".join(
        f"{name}: " + ", ".join(f"{kind} {share:.0f} %" for kind, share in found.items())
        for name, found in shares.items()
    )
    return plots.show(fig, f"{xlabel}, by kind of operation. {said}.")


def count_and_time(
    by_count: Mapping[str, float], by_clock: Mapping[str, float], xlabel: str, text: str = "{:.2f}"
) -> Any:
    """Two bars for each name, its part of the multiply-adds and of the time, as a picture with its
    words. Both have the same names and one unit, `xlabel`; `text` formats a number."""
    from inception_edu.teach import plots

    fig = plots.figure(7, 0.7 + 0.5 * len(by_count))
    bars = {"multiply-adds": by_count, "time on this machine": by_clock}
    plots.paired_bars(bars, fig.add_subplot(), xlabel, text)
    said = "; ".join(
        f"{name} {text.format(by_count[name])} by count, {text.format(by_clock[name])} by clock"
        for name in by_count
    )
    return plots.show(fig, f"Multiply-adds and time, {xlabel}: {said}.")
