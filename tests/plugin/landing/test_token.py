"""Landing links: ours or nobody's, and nothing personal in them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.landing.token import Landing, Links, expired

LANDING = Landing("shop", "spring", b"\x00\x01" * 6, 1_800_000_000)


@given(st.text(max_size=40), st.binary(max_size=12), st.integers(0, 2**40))
def test_what_is_written_is_read(campaign, customer, expires_at):
    landing = Landing("shop", campaign, customer, expires_at)
    token = Links(b"secret").write(landing)
    assert Links(b"secret").read(token) == landing
    assert not set(token) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_the_same_landing_has_the_same_token():
    assert Links(b"secret").write(LANDING) == Links(b"secret").write(LANDING)


def test_a_link_expires_at_its_time():
    assert not expired(LANDING, datetime.fromtimestamp(1_800_000_000, UTC))
    assert expired(LANDING, datetime.fromtimestamp(1_800_000_001, UTC))


@given(st.text(max_size=600))
def test_bad_input_forged_token_is_nobodys(token):
    assert Links(b"secret").read(token) is None


def test_bad_input_token_of_another_installation_is_nobodys():
    assert Links(b"secret").read(Links(b"other").write(LANDING)) is None


@pytest.mark.parametrize("position", [0, 5, -1])
def test_bad_input_altered_token_is_nobodys(position):
    token = list(Links(b"secret").write(LANDING))
    token[position] = "A" if token[position] != "A" else "Q"
    assert Links(b"secret").read("".join(token)) is None
