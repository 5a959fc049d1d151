"""How far images are shifted, and what a window leaves of them: plain numbers."""


def reach(side: int) -> int:
    """How many pixels "crop" shifts an image of this side at most: an eighth of it, 4 at 32
    pixels."""
    return max(1, round(side / 8))


def window(side: int) -> int:
    """The side that "window" leaves of an image's: 28 of 32 pixels."""
    return side - reach(side)
