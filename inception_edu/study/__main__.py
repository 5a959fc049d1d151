import sys

from inception_edu.study.commands import main

if __name__ == "__main__":
    sys.exit(main())
