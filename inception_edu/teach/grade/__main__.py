"""python -m inception_edu.teach.grade FOLDER"""

import argparse
import sys
from pathlib import Path

from inception_edu._console import forgive, marks
from inception_edu.teach import grade as package
from inception_edu.teach.grade.gradebook import diagnoses, grade, gradebook, write_csv


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m inception_edu.teach.grade",
        description=package.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="what was handed in")
    parser.add_argument("--csv", type=Path, help="write every verdict into this file too")
    parser.add_argument("--seconds", type=float, default=20.0, help="limit for one answer")
    forgive()
    arguments = parser.parse_args(words)
    try:
        found = grade(arguments.folder, arguments.seconds)
    except ValueError as error:
        print(error)
        return 1
    print(marks(str(gradebook(found))))
    print()
    print(marks(str(diagnoses(found))))
    if arguments.csv:
        try:
            write_csv(found, arguments.csv)
        except OSError as error:
            print(f"{arguments.csv} cannot be written: {error.strerror}.", file=sys.stderr)
            return 1
        print(f"\n{arguments.csv} is written.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
