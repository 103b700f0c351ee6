"""Landing links: ours or nobody's, and nothing personal in them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from plugin.ids import MAX_ID_BYTES
from plugin.landing.token import Landing, Links, expired

LANDING = Landing("shop", "spring", b"\x00\x01" * 6, 1_800_000_000, b"\x02" * 16, "email")
SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(
    st.builds(
        Landing,
        workspace=st.text(SIGNS, max_size=40),
        campaign=st.text(max_size=240),
        customer=st.sampled_from([b"", b"\x00" * 12, b"\xff" * 12]),
        expires_at=st.integers(0, 2**40 - 1),
        decision=st.sampled_from([b"", b"\x00" * 16, b"\xff" * 16]),
        channel=st.text(max_size=60),
    )
)
def test_what_is_written_is_read(landing):
    token = Links(b"secret").write(landing)
    assert Links(b"secret").read(token) == landing
    assert not set(token) - set(SIGNS)


def test_a_link_is_short_enough_for_a_text_message():
    assert len(Links(b"secret").write(LANDING)) <= 100  # characters


def test_a_campaign_of_the_longest_name_has_a_link():
    landing = LANDING._replace(campaign="x" * MAX_ID_BYTES, channel="y" * MAX_ID_BYTES)
    assert Links(b"secret").read(Links(b"secret").write(landing)) == landing


def test_a_link_of_the_first_version_still_opens():
    text = URLSafeSerializer(b"secret", salt="rightsend.landing").dumps(
        ["shop", "spring", base64.urlsafe_b64encode(LANDING.customer).decode(), 1_800_000_000]
    )
    assert Links(b"secret").read(text) == LANDING._replace(decision=b"", channel="")


def test_a_link_of_a_previous_secret_opens_for_nobody_in_particular():
    token = Links(b"old").write(LANDING)
    assert Links(b"new", [b"older", b"old"]).read(token) == LANDING._replace(customer=b"")


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


def test_bad_input_altered_token_is_nobodys():
    token = Links(b"secret").write(LANDING)
    for position, sign in enumerate(token):
        for other in "AQ_" if position < len(token) - 1 else SIGNS:
            altered = token[:position] + other + token[position + 1 :]
            assert sign == other or Links(b"secret").read(altered) is None


@pytest.mark.parametrize("end", ["", "A", "AAAA", "=", "==", " ", "\n"])
def test_bad_input_shortened_and_lengthened_tokens_are_nobodys(end):
    token = Links(b"secret").write(LANDING)
    assert Links(b"secret").read(token[:-1] + end) is None
    assert not end or Links(b"secret").read(token + end) is None


@pytest.mark.parametrize(
    "landing",
    [
        LANDING._replace(workspace="x" * 256),
        LANDING._replace(channel="x" * 65_536),
        LANDING._replace(expires_at=-1),
        LANDING._replace(expires_at=2**40),
    ],
)
def test_bad_input_a_landing_that_no_link_can_hold_is_refused(landing):
    with pytest.raises(ValueError, match="no link can hold"):
        Links(b"secret").write(landing)
