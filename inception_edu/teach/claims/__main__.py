"""python -m inception_edu.teach.claims: every claim with its sentence; exit 1 where one fails."""

import sys

from inception_edu._console import forgive
from inception_edu.teach.claims import all_claims, claim


def main() -> int:
    forgive()
    failed = 0
    for name in all_claims():
        made = claim(name)
        failed += not made.holds
        print(f"{'holds' if made.holds else 'FAILS'}  {name:<32} {made.sentence}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
