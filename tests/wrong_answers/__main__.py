"""The tables of the hit rate."""

import sys

from inception_edu.describe.tables import table
from wrong_answers import SETS, Tried, chapters, only_here, tried


def main(words: list[str]) -> None:
    wanted = [word for word in words if word.isdigit()] or chapters()
    for which in [word for word in words if word in SETS] or SETS:
        rows = [(chapter, list(tried(chapter, which))) for chapter in wanted]
        everything = [one for _, found in rows for one in found]
        if "-v" in words:
            for one in everything:
                if not (one.refused and one.diagnosed):
                    print(f"{one.exercise}\n{one.code}\n    {one.verdict}\n")
        print(f"{which}\n")
        print(hit_rate([*rows, ("all", everything)]), "\n")
        own = [(chapter, new(chapter, which, found)) for chapter, found in rows]
        print("of them, those that no other set has\n")
        print(hit_rate([*own, ("all", [one for _, found in own for one in found])]), "\n")


def new(chapter: str, which: str, found: list[Tried]) -> list[Tried]:
    here = only_here(chapter, which)
    return [one for one in found if one.code in here[one.exercise]]


def hit_rate(rows: list[tuple[str, list[Tried]]]) -> str:
    return table(
        [
            (
                name,
                len({one.exercise for one in found}),
                len(found),
                sum(one.refused for one in found) / len(found),
                sum(one.diagnosed for one in found) / len(found),
            )
            for name, found in rows
            if found
        ],
        ["chapter", "exercises", "wrong answers", "refused", "diagnosed"],
        formats={"refused": ".0%", "diagnosed": ".0%"},
    )


if __name__ == "__main__":
    main(sys.argv[1:])
