"""The figure with which each chapter opens."""

import build
import pytest

from inception_edu.teach import opening_figure

SOURCES = build.sources()


@pytest.mark.parametrize("source", SOURCES, ids=[source.stem for source in SOURCES])
def test_each_chapter_opens_with_a_sentence_with_numbers_and_one_figure(source):
    text = source.read_text(encoding="utf-8")
    number = source.stem[:2]
    said, shown = text.index('\nsay("'), text.index(f'\nopening_figure("{number}")')
    assert 0 < shown - said < 200, "right after what the chapter will have shown"
    figure = opening_figure(number)
    assert figure.png.startswith(b"\x89PNG") and any(c.isdigit() for c in figure.alt)


def test_an_unknown_chapter():
    with pytest.raises(KeyError):
        opening_figure("99")
