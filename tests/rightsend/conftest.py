from __future__ import annotations

from collections.abc import Iterator

import pytest

from rightsend.store_process import embedded_store
from scoring.store.client import Client, connect


@pytest.fixture(scope="session")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real embedded store for this test process."""
    with embedded_store(tmp_path_factory.mktemp("state")) as url:
        yield url


@pytest.fixture
def client(store_url: str) -> Iterator[Client]:
    """A client of an empty store."""
    found = connect(store_url)
    found.flushall()
    yield found
    found.close()
