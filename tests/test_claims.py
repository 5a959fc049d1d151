"""Every claim of the chapters holds for the committed results, and one that does not is noticed."""

import re
import subprocess
import sys

import build
import pytest

from inception_edu.teach import claims
from inception_edu.teach.claims import ClaimError, claim, five_lines, say

NAMES = list(claims.all_claims())


@pytest.mark.parametrize("name", NAMES)
def test_claim_holds_for_the_committed_results(name):
    made = claim(name)
    assert made.holds, made.sentence
    assert made.sentence.endswith(".") and any(c.isdigit() for c in made.sentence)
    assert "  " not in made.sentence


def test_there_are_claims_and_each_belongs_to_a_chapter():
    chapters = {source.stem[:2] for source in build.sources()}
    assert len(NAMES) > 10 and {name.split(".")[0] for name in NAMES} <= chapters


def test_a_claim_that_fails(monkeypatch):
    monkeypatch.delenv("INCEPTION_EDU_CLAIMS", raising=False)
    shown = claim("99.x", 2 < 1, "Two is *less* than one, `2 < 1`.")
    assert "no longer support" in repr(shown) and "✗" in repr(shown)
    assert (
        "no longer support" in shown._repr_html_()
        and "<code>2 &lt; 1</code>" in shown._repr_html_()
    )
    monkeypatch.setenv("INCEPTION_EDU_CLAIMS", "strict")
    with pytest.raises(ClaimError, match="99.x"):
        claim("99.x", 2 < 1, "Two is less than one.")
    assert claim("99.x", 1 < 2, "One is less than two.").holds


def test_an_unknown_claim_says_which_there_are():
    with pytest.raises(KeyError, match="01.equal-cost"):
        claim("01.nothing")
    with pytest.raises(KeyError, match="C10"):
        claim("C11")


def test_claims_of_the_paper_in_words():
    table = claims.paper_claims()
    assert len(table.rows) == 10 and "C1" not in str(table)
    assert "**" in claim("C8").sentence and "Section 3.2" in claim("C8").sentence


def test_sentences_and_lists_are_markdown_with_numbers_filled_in():
    two = five_lines("05.longest-path", "A plain sentence.")
    assert two._repr_markdown_().splitlines() == [
        f"1. {claim('05.longest-path').sentence}",
        "2. A plain sentence.",
    ]
    assert repr(say("One.", claim("99.y", True, "Two."))) == "One. Two."
    names = ("05.longest-path", "05.total")
    assert repr(say(*names)).splitlines() == [f"- {claim(name).sentence}" for name in names]
    assert repr(say("05.total")) == claim("05.total").sentence


def test_percent_is_written_in_one_way():
    assert repr(say(f"{0.5:.0%} of 2 and {0.125:+.1%}.")) == "50 % of 2 and +12.5 %."
    assert claim("99.z", True, "From 3% to 44 %.").sentence == "From 3 % to 44 %."
    assert "%" in claim("05.stem-and-c").sentence and not re.search(
        r"[0-9]%", claim("05.stem-and-c").sentence + claim("04.parallel").short
    )


def test_the_command_prints_them_all():
    run = subprocess.run(
        [sys.executable, "-m", "inception_edu.teach.claims"], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout
    assert all(name in run.stdout for name in NAMES) and "FAILS" not in run.stdout
