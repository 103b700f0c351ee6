from __future__ import annotations

from typing import Any

import marshmallow
import pytest

from connectors.klaviyo import api
from connectors.klaviyo.options import KlaviyoOptions


def test_good_options_load_with_defaults() -> None:
    loaded = KlaviyoOptions().load({"api_key": "pk_1"})
    assert (loaded["timeout_s"], loaded["job_timeout_s"]) == (30, 600)


@pytest.mark.parametrize(
    ("change", "key"),
    [({"api_key": ""}, "api_key"), ({"api_key": "k\r\nX: 1"}, "api_key"),
     ({"timeout_s": 0}, "timeout_s"), ({"job_timeout_s": 1e9}, "job_timeout_s"),
     ({"url": "http://elsewhere"}, "url"), ({"webhook_secret": "short"}, "webhook_secret")],
)  # fmt: skip
def test_bad_input_options_are_refused_by_name(change: dict[str, Any], key: str) -> None:
    with pytest.raises(marshmallow.ValidationError) as refused:
        KlaviyoOptions().load({"api_key": "k", **change})
    assert key in refused.value.messages


def test_the_host_is_klaviyos_own_over_tls() -> None:
    assert api.HOST == "https://a.klaviyo.com"
