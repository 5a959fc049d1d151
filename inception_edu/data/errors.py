"""What is raised where images cannot be had."""


class DataError(RuntimeError):
    """Images could not be had. The message is a sentence that says what is wrong and what to do."""
