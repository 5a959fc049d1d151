"""How far a download or a decoding is, as plain text: it stores no widget in a notebook."""

from __future__ import annotations

import threading
from typing import Any


class Progress:
    """A bar by tqdm where it is installed, else a line at each tenth."""

    def __init__(self, what: str, total: int, unit: str, quiet: bool = False):
        self.what, self.total, self.unit, self.quiet = what, total, unit, quiet
        self.done = self.tenth = 0
        self._adding = threading.Lock()  # threads that decode share one
        self.bar: Any = None  # tqdm's, where that is installed

    def __enter__(self):
        if not self.quiet:
            try:
                from tqdm import tqdm
            except ImportError:
                print(f"{self.what} …", flush=True)
            else:
                self.bar = tqdm(
                    total=self.total, desc=self.what, unit=self.unit, unit_scale=self.unit == "B"
                )
        return self

    def add(self, count: int) -> None:
        """So many more are done. Any thread may say so."""
        with self._adding:
            self.at(self.done + count)

    def at(self, done: int) -> None:
        if self.bar is not None:
            self.bar.update(done - self.done)
        elif not self.quiet and 10 * done // self.total > self.tenth:
            self.tenth = 10 * done // self.total
            print(f"{self.what}: {10 * self.tenth} %", flush=True)
        self.done = done

    def __exit__(self, *_):
        if self.bar is not None:
            self.bar.close()
