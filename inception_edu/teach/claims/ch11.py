"""What chapter 11 says about its results, computed from the committed runs."""

from __future__ import annotations

from inception_edu.study import CLAIMS
from inception_edu.teach.claims import registered


@registered("11.c9")
def crops_and_ensembles() -> tuple[bool, str]:
    found = CLAIMS["C9"].verdict()
    told = "; ".join(evidence.sentence for evidence in found.evidence)
    return found.word != "contradicted", f"C9, {found.word}: {told}."
