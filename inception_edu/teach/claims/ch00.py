"""What chapter 00 says about the paper as a whole, computed from the verdicts."""

from __future__ import annotations

from collections import Counter

from inception_edu.study import CLAIMS
from inception_edu.teach.claims import registered

SAID = {
    "supported": "supported",
    "seen at reduced scale only": "seen at reduced scale only",
    "contradicted": "contradicted in our small networks or by counting",
    "undecided": "still undecided",
}


@registered("00.verdicts")
def verdicts() -> tuple[bool, tuple[str, str]]:
    counts = Counter(claim.verdict().word for claim in CLAIMS.values())
    told = [
        f"{counts[word]} {'is' if counts[word] == 1 else 'are'} {said}"
        for word, said in SAID.items()
        if counts[word]
    ]
    listed = " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)
    return sum(counts.values()) == len(CLAIMS) and set(counts) <= set(SAID), (
        f"We test {len(CLAIMS)} claims on training, cost and ensembles: {listed}.",
        f"Of {len(CLAIMS)} claims "
        + ", ".join(
            f"{counts[word]} {word.removesuffix(' at reduced scale only')}"
            for word in SAID
            if counts[word]
        )
        + ".",
    )
