"""Where a command writes what it exports."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from rightsend.errors import RightsendError


@contextlib.contextmanager
def target(output: Path | None) -> Iterator[IO[bytes]]:
    """stdout, or a file that appears when it is complete; a device or a pipe is written as it is.

    Raises RightsendError when it cannot be written.
    """
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    final = output.resolve()
    direct = final.exists() and not final.is_file()
    draft = final if direct else final.with_name(f".{final.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            yield file
        if not direct:
            draft.replace(final)
    except OSError as error:
        if error.filename is not None and str(error.filename) not in (str(draft), str(final)):
            raise  # of a file that was read for it
        raise RightsendError(f"{output}: cannot be written: {error.strerror or error}") from error
    finally:
        if not direct:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
