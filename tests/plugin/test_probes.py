"""Probes tell a load balancer and an operator the truth."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from plugin.app import create_app


def samples(response) -> dict[str, float]:
    families = text_string_to_metric_families(response.get_data(as_text=True))
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in families
        for sample in family.samples
    }


def test_alive_is_alive_without_anything_else(settings):
    client = create_app(settings, redis_url="redis://127.0.0.1:1/0").test_client()
    assert client.get("/healthz").get_json() == {"ok": True}


def test_ready_once_each_workspace_has_a_snapshot(settings, redis_url, published):
    only = replace(settings, workspaces={"shop": settings.workspaces["shop"]})
    response = create_app(only, redis_url=redis_url).test_client().get("/readyz")
    assert response.status_code == 200
    assert response.get_json() == {"ok": True, "store": "ok", "workspaces": {"ok": 1}}


def test_not_ready_without_a_snapshot_and_says_which(client, published):
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.get_json()["workspaces"] == {"ok": 1, "no_snapshot": 1}


def test_not_ready_without_the_store(settings):
    client = create_app(settings, redis_url="redis://127.0.0.1:1/0").test_client()
    response = client.get("/readyz")
    assert (response.status_code, response.get_json()["store"]) == (503, "unavailable")


def test_metrics_count_requests_fallbacks_and_the_age_of_the_snapshot(get, published):
    get("/v1/content/for-you", customer="customer-001")
    get("/v1/content/for-you", customer="nobody")
    found = samples(get("/metrics"))
    assert found["rightsend_content_seconds_count[('kind', 'for-you')]"] == 2
    reason = "[('kind', 'for-you'), ('reason', 'unknown_customer')]"
    assert found[f"rightsend_content_fallbacks_total{reason}"] == 1
    ages = [value for name, value in found.items() if "snapshot_age" in name]
    assert len(ages) == 1
    assert 0 <= ages[0] < 3600


def test_metrics_of_all_web_processes_are_added_up(settings, redis_url, tmp_path, key):
    import os
    import subprocess
    import sys

    program = (
        "import pickle, sys\n"
        "from plugin.app import create_app\n"
        "settings = pickle.load(open(sys.argv[1], 'rb'))\n"
        "client = create_app(settings, redis_url=sys.argv[2]).test_client()\n"
        "client.get('/healthz')\n"
        "print(client.get('/metrics', headers={'X-Api-Key': sys.argv[3]}).get_data(as_text=True))\n"
    )
    import pickle

    (tmp_path / "settings.pickle").write_bytes(pickle.dumps(settings))
    folder = tmp_path / "metrics"
    folder.mkdir()
    texts = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "settings.pickle"), redis_url, key],
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    line = r'rightsend_requests_total\{method="GET",route="/healthz",status="200"\} (\d+)'
    assert [float(re.search(line, text).group(1)) for text in texts] == [1, 2]


@pytest.mark.parametrize("path", ["/metrics"])
def test_bad_input_metrics_without_a_key_are_401(client, path):
    assert client.get(path).status_code == 401
