"""inception_edu: the blocks, networks, measurements and labs of the chapters.

Importing the package loads no torch; modules that need it import it themselves.
"""

__version__ = "0.1.0"
