"""``${NAME}`` and ``${file:NAME}`` inside a value: secrets stay out of the configuration file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from settings.problems import Complaint

MAX_SECRET_BYTES = 65_536
_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)(\}?)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FORM = "${NAME} of an environment variable or ${file:NAME} of a file ($${ for a literal ${)"


class ReferenceFailedError(Exception):
    """References that cannot be resolved; ``complaints`` hold no secret."""

    def __init__(self, *complaints: Complaint) -> None:
        super().__init__(*map(str, complaints))
        self.complaints = complaints


def interpolate(text: str, folder: Path, environ: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """``text`` with every reference replaced, and the references (not their values) in order.

    Relative file names start at ``folder``; a file's trailing line break is dropped, so that
    ``echo secret > file`` does what one means. Raises ReferenceFailedError.
    """
    references: list[str] = []
    failures: list[Complaint] = []

    def replace(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        references.append(match[0])
        try:
            if not match[2]:
                raise ReferenceFailedError(Complaint(_FORM, "a ${ without its }"))
            return _resolve(match[1], folder, environ)
        except ReferenceFailedError as error:
            failures.extend(error.complaints)
            return ""

    result = _REFERENCE.sub(replace, text)
    if failures:
        raise ReferenceFailedError(*failures)
    return result, tuple(references)


def _resolve(name: str, folder: Path, environ: Mapping[str, str]) -> str:
    if name.startswith("file:"):
        return _file(name.removeprefix("file:"), folder)
    if not _VARIABLE.fullmatch(name):
        raise ReferenceFailedError(Complaint(_FORM, f"the reference ${{{name[:60]}}}"))
    if name not in environ:
        raise ReferenceFailedError(
            Complaint(
                f"the environment variable {name} to be set", f"${{{name}}}, which is not set"
            )
        )
    return environ[name]


def _file(name: str, folder: Path) -> str:
    path = folder / name
    expected = f"a readable UTF-8 text file {path}, at most {MAX_SECRET_BYTES} bytes"

    def failed(why: str) -> ReferenceFailedError:
        return ReferenceFailedError(Complaint(expected, f"${{file:{name[:60]}}}, {why}"))

    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise failed("which is no file")  # a pipe would wait for a writer
        with path.open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
        text = content.decode()
    except FileNotFoundError:
        raise failed("which does not exist") from None
    except UnicodeDecodeError:
        raise failed("which is not UTF-8") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise failed(f"which cannot be read ({reason or 'bad file name'})") from None
    if len(content) > MAX_SECRET_BYTES:
        raise failed("which is larger")
    return text.rstrip("\r\n")
