"""Fetching a file of known size and checksum, from several addresses, taken up again where it broke
off."""

from __future__ import annotations

import errno
import hashlib
import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inception_edu.data.errors import DataError
from inception_edu.data.progress import Progress


class _WrongFile(Exception):
    pass


def download(urls, target: Path, size: int, md5: str, timeout: float = 20) -> None:
    """Fetches a file of known size and checksum from the first of several addresses that delivers
    it.

    What has arrived is kept in TARGET.part and continued, also from another address, also after a
    restart. The file gets its name only when the checksum is right; a different file that already
    has this name is renamed, not lost.
    Raises DataError if no address delivers it, if the disk cannot be written, or if another
    download is under way.
    """
    part, failures = target.with_name(target.name + ".part"), []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"The folder {target.parent} cannot be made ({error.strerror}): set "
            "INCEPTION_EDU_DATA to a folder that can be written."
        ) from None
    with _alone(target), Progress(f"downloading {target.name}", size, "B") as progress:
        for url in urls:
            failure = _try_address(url, part, size, md5, timeout, progress)
            if failure is None:
                if target.exists():
                    target.rename(_free_name(target))
                part.replace(target)
                return
            failures.append(f"{urllib.parse.urlsplit(url).netloc}: {failure}")
    have = _length(part)
    arrived = ""
    if have:
        arrived = (
            f"{have / 1e6:.0f} of {size / 1e6:.0f} MB have arrived and are kept, "
            "so try again later. "
        )
    raise DataError(
        f"{target.name} could not be downloaded ({'; '.join(failures)}). {arrived}"
        "Without internet, use 'fashion', or 'folder:PATH' with images of your own, or copy "
        f"{target.name} from another machine into {target.parent}."
    )


def _try_address(url, part, size, md5, timeout, progress):
    """None if `part` is now complete and right, otherwise why not, in a few words."""
    fruitless = 0
    while True:
        before = _length(part)
        try:
            _fetch(url, part, size, timeout, progress)
        except _WrongFile as wrong:
            return str(wrong)
        except urllib.error.HTTPError as error:
            return f"answers {error.code} {error.reason}"
        except (OSError, http.client.HTTPException) as error:
            fruitless = 0 if _length(part) > before else fruitless + 1
            if fruitless >= (1 if isinstance(error, urllib.error.URLError) else 3):
                return str(getattr(error, "reason", error)) or type(error).__name__
            time.sleep(0.5 * fruitless)
        else:
            if md5_of(part) == md5:
                return None
            part.unlink()
            if not before:
                return "delivers another file, its checksum is wrong"
            # the earlier bytes may have been the bad ones: once more, from the start


def _fetch(url, part, size, timeout, progress):
    """Appends to `part` until it has `size` bytes; raises whatever the network raises."""
    if _length(part) > size:
        part.unlink()
    have = _length(part)
    progress.at(have)
    if have == size:
        return
    headers = {"User-Agent": "inception-edu", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with urllib.request.urlopen(
        urllib.request.Request(url, headers=headers), timeout=timeout
    ) as answer:
        if answer.status == 206:
            first, _, total = (
                answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
            )
            if first.split("-")[0] != str(have) or total not in (str(size), "*"):
                raise _WrongFile("answers with another range than the one asked for")
            skip = 0
        else:
            length = answer.headers.get("Content-Length")
            if length is not None and int(length) != size:
                raise _WrongFile(f"offers {int(length):,} bytes instead of {size:,}")
            skip = have  # the server cannot continue: pass over what we have
        try:
            out = open(part, "ab")
        except OSError as error:
            raise _cannot_write(part, error) from None
        with out:
            while have < size and (
                chunk := answer.read1(1 << 16)
            ):  # what is there, without waiting for more
                fresh = chunk[skip:][: size - have]
                skip = max(0, skip - len(chunk))
                try:
                    out.write(fresh)
                    out.flush()
                except OSError as error:
                    raise _cannot_write(part, error) from None
                have += len(fresh)
                progress.at(have)
    if have < size:
        raise ConnectionError(f"the connection ended after {have:,} of {size:,} bytes")


def _cannot_write(path, error):
    todo = "set INCEPTION_EDU_DATA to a folder that can be written"
    if error.errno == errno.ENOSPC:
        todo = "make room on the disk"
    return DataError(f"{path} cannot be written ({error.strerror}): {todo}.")


def _length(path):
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def md5_of(path):
    digest = hashlib.md5()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _free_name(path):
    number = 1
    while (free := path.with_name(f"{path.name}.not-original-{number}")).exists():
        number += 1
    return free


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Two notebooks must not write to one .part file. The system frees the lock of a process that
    ends; the empty .lock file stays."""
    from filelock import FileLock, Timeout

    lock = FileLock(target.with_name(target.name + ".lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise DataError(
            f"Another download of {target.name} is under way: wait until it has finished and call "
            "again."
        ) from None
    except OSError as error:
        raise _cannot_write(target, error) from None
    try:
        yield
    finally:
        lock.release()
