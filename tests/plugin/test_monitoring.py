"""What is documented, drawn and alerted on is what a real app exposes, and the other way round."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from plugin.content import asked
from scoring.store.keys import CLOCK

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DASHBOARD = json.loads((DOCS / "grafana" / "rightsend.json").read_bytes())
RULES = yaml.safe_load((DOCS / "grafana" / "rules.yaml").read_bytes())["groups"][0]["rules"]
MONITORING = (DOCS / "monitoring.md").read_text()
LOGS = MONITORING.partition("## Logs")[2]
NAME = re.compile(r"\brightsend_[a-z0-9_]+")
# Of the reasons why an answer is a fallback: what somebody should be called for, and the shop's
# own business. A new reason belongs into one of them.
FAULTS = {
    asked.STORE_UNAVAILABLE, asked.NO_SNAPSHOT, asked.ERROR, asked.RATE_LIMITED, asked.OVERLOADED,
}  # fmt: skip
BUSINESS = {
    asked.UNKNOWN_CUSTOMER, asked.UNKNOWN_ITEM, asked.NO_SCORES, asked.FILTERED, asked.EMPTY_CART,
    asked.NOTHING_BACK, asked.NO_PRICE_DROP, asked.NOTHING_DUE, asked.NO_ARRIVALS, asked.NO_ITEMS,
}  # fmt: skip
LEVELS = {"debug", "info", "warning", "error", "exception"}
SAMPLED = {"seldom", "fault"}  # of plugin.logs: warnings and errors, a few a second
ROWS = (
    "Send time", "Freshness", "Events and decisions", "Nights", "Syncs", "Errors and background",
)  # fmt: skip


def base(name: str) -> str:
    return re.sub(r"_(bucket|count|sum)$", "", name)


def panels() -> list[dict]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def drawn() -> set[str]:
    text = " ".join(target["expr"] for panel in panels() for target in panel["targets"])
    return set(NAME.findall(text))


def alerted() -> set[str]:
    return {name for rule in RULES for name in NAME.findall(rule["expr"])}


def described() -> set[str]:
    return {name for name in NAME.findall(MONITORING) if not name.endswith("_")}


def logged() -> dict[str, set[str]]:
    """Event → levels, of every line that web processes and workers write."""
    found: dict[str, set[str]] = {"slow": {"warning"}}  # logs.slow says it by seldom
    for room in ("plugin", "rightsend", "scoring/store"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.Call) and node.args:
                    event, levels = node.args[0], _levels(node)
                    if levels and isinstance(event, ast.Constant):
                        found.setdefault(event.value, set()).update(levels)
    return found


def _levels(call: ast.Call) -> set[str]:
    """At which levels a call logs, such as ``(log.error if ours else log.info)(…)``."""
    branches = [call.func]
    if isinstance(call.func, ast.IfExp):
        branches = [call.func.body, call.func.orelse]
    names = {node.attr for node in branches if isinstance(node, ast.Attribute) and _is_log(node)}
    traced = any(keyword.arg == "exc_info" for keyword in call.keywords)
    seldom = "error" if traced else "warning"
    known = {{"seldom": seldom, "fault": "error", "exception": "error"}.get(n, n) for n in names}
    return known if names <= LEVELS | SAMPLED else set()


def _is_log(node: ast.Attribute) -> bool:
    """``log.info``, ``_log.info``, ``logs.seldom``, ``logs.log.info``."""
    owner = node.value
    name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return name in ("log", "_log", "logs")


@pytest.fixture
def exposed(get, post, settings, published, redis_client, workspace_dir, monkeypatch) -> set[str]:
    """Every name of a scrape, of an installation to which everything happened once."""
    redis_client.set(CLOCK, 1)
    post("/v1/events", {"identifier": "a", "event_type": "view", "item_id": "item-03"})
    run = {
        "run": "r1", "state": "done", "started_at": "2017-12-01T03:00:00+00:00",
        "finished_at": "2017-12-01T03:10:00+00:00",
    }  # fmt: skip
    (workspace_dir / "runs" / "r1").mkdir(parents=True)
    (workspace_dir / "runs" / "r1" / "run.json").write_text(json.dumps(run))
    report = {
        "connection": "sandbox", "what": "attributes", "finished_at": "2017-12-01T03:20:00+00:00",
        "data_points_full": 9, "rejected": {"unknown": 1},
        **dict.fromkeys(
            ("profiles", "changed", "postponed", "accepted", "requests", "retries", "data_points",
             "rate_used", "waiting", "seconds", "lag_s", "finished"), 1),
    }  # fmt: skip
    (workspace_dir / "delivery").mkdir()
    (workspace_dir / "delivery" / "sandbox.report.json").write_text(json.dumps(report))
    found = set()
    for family in text_string_to_metric_families(get("/metrics").get_data(as_text=True)):
        found.add(family.name + ("_total" if family.type == "counter" else ""))
    return {name for name in found if not name.endswith("_created")}


SERVERS_OWN = {"rightsend_web_connections"}  # told by gunicorn's worker, see test_server.py


def test_every_metric_in_dashboard_rules_and_docs_is_exposed(exposed):
    named = {base(name) for name in drawn() | alerted() | described()}
    assert named - exposed - SERVERS_OWN == set()


def test_every_metric_that_is_exposed_is_described_and_drawn(exposed):
    assert exposed - described() == set()
    assert exposed - {base(name) for name in drawn()} == set()


def test_every_reason_of_a_fallback_is_a_fault_or_business():
    assert set(asked.REASONS) == FAULTS | BUSINESS
    assert not FAULTS & BUSINESS


def test_the_critical_alert_on_fallbacks_names_the_faults_and_nothing_else():
    rule = next(rule for rule in RULES if rule["alert"] == "RightsendFallbacks")
    ((how, words),) = re.findall(r'reason([=!~]+)"([^"]*)"', rule["expr"])
    assert (how, set(words.split("|"))) == ("=~", FAULTS)
    named = {word for rule in RULES for word in re.findall(r'reason="(\w+)"', rule["expr"])}
    assert named <= set(asked.REASONS)


def test_the_panel_of_fallbacks_tells_faults_from_business():
    panel = next(panel for panel in panels() if panel["title"] == "Fallbacks")
    said = set(re.findall(r"[a-z_]+", panel["description"].partition("Faults:")[2].split(";")[0]))
    assert said == FAULTS
    assert "sum by (reason)" in panel["targets"][0]["expr"]


def test_a_panel_that_may_fall_below_zero_is_not_cut_off_there():
    falling = [p for p in panels() if any("delta(" in t["expr"] for t in p["targets"])]
    assert "Decisions lost" in [panel["title"] for panel in falling]
    assert all("min" not in panel["fieldConfig"]["defaults"] for panel in falling)


def test_every_line_of_the_log_is_described_with_its_level():
    described = {
        event: set(re.findall(r"debug|info|warning|error", levels))
        for event, levels in re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", LOGS, re.MULTILINE)
    }
    found = logged()
    assert set(described) == set(found)
    for event, levels in found.items():
        assert levels <= described[event], event


def test_every_alert_says_what_to_do():
    for rule in RULES:
        assert re.search(rf"\b{rule['alert']}\b", MONITORING), rule["alert"]
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("warning", "critical")
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_the_dashboard_has_its_rows_and_every_panel_can_be_drawn():
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert tuple(rows) == ROWS
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in panels():
        assert panel["type"] in ("timeseries", "stat")
        assert panel["title"] and panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "${datasource}"
        for target in panel["targets"]:
            assert target["legendFormat"]
            assert target["expr"].count("(") == target["expr"].count(")")
            assert "rightsend_" in target["expr"]


def test_no_panel_lies_over_another():
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
