"""Everything that can go wrong with a host tool, named by what the caller must do.

    ConnectorError
    ├── Retry    the same request later (after_s, when the tool said how long)
    ├── Split    the tool refused the request and did not say which record: send the halves
    ├── Lost     what cannot be repeated was sent and not answered: tell a person
    ├── Reject   this record will never be taken as it is: quarantine
    ├── Stop     nothing will be taken before a person changes something: end the sync
    └── Busy     the same work is being done already: leave it alone

They carry the status and the tool's request id; never a payload, a key or an address of a person.
"""

# ruff: noqa: N818 - the name says what the caller must do, which "Error" does not

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class ConnectorError(Exception):
    """Base of all. ``status`` is the HTTP status (None: no answer), ``request_id`` the tool's.

    ``report`` holds the numbers of a sync that ended with this error.
    """

    def __init__(
        self,
        what: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        report: object = None,
    ) -> None:
        self.what = what
        self.status = status
        self.request_id = request_id
        self.report = report
        super().__init__(what)

    def __str__(self) -> str:
        details = [
            f"{name} {value}"
            for name, value in (("HTTP", self.status), ("request", self.request_id))
            if value is not None
        ]
        return f"{self.what} ({', '.join(details)})" if details else self.what


class Retry(ConnectorError):
    """Send the same request again; ``after_s`` is the tool's wish, None leaves it to the caller.

    ``unsent``: the request did not even leave, so it was certainly not carried out.
    """

    def __init__(
        self,
        what: str,
        *,
        after_s: float | None = None,
        status: int | None = None,
        request_id: str | None = None,
        unsent: bool = False,
    ) -> None:
        self.after_s = after_s
        self.unsent = unsent
        super().__init__(what, status=status, request_id=request_id)


class Split(ConnectorError):
    """Some record of the request is bad and nobody says which: send the halves apart."""


class Reject(ConnectorError):
    """This one record is refused for good; offered again when its content changes."""


class Lost(ConnectorError):
    """Sent, and no answer: it may have been done. For what must not be done twice."""


class Stop(ConnectorError):
    """End the sync and tell a person; what was accepted so far stays accepted."""


class Busy(ConnectorError):
    """Another process is doing the same work on the same connection."""


@contextmanager
def nothing_to_split() -> Iterator[None]:
    """Around a call that holds no records: what is refused of it stops."""
    try:
        yield
    except Split as error:
        raise Stop(error.what, status=error.status, request_id=error.request_id) from error
