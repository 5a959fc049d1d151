"""The table of the hit rate."""

import sys

from inception_edu.describe.tables import table
from wrong_answers import ANSWERS, tried


def main(words: list[str]) -> None:
    chapters = [word for word in words if word.isdigit()]
    chapters = chapters or sorted(path.stem[2:] for path in ANSWERS.glob("ch*.txt"))
    rows = []
    for chapter in chapters:
        found = list(tried(chapter))
        rows.append((chapter, found))
        for one in found:
            if "-v" in words and not (one.refused and one.diagnosed):
                print(f"{one.exercise}\n{one.code}\n    {one.verdict}\n")
    everything = [one for _, found in rows for one in found]
    print(
        table(
            [
                (
                    name,
                    len({one.exercise for one in found}),
                    len(found),
                    sum(one.refused for one in found) / len(found),
                    sum(one.diagnosed for one in found) / len(found),
                )
                for name, found in [*rows, ("all", everything)]
            ],
            ["chapter", "exercises", "wrong answers", "refused", "diagnosed"],
            formats={"refused": ".0%", "diagnosed": ".0%"},
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])
