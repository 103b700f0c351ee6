"""What a workspace keeps in its host tools besides scores, from the command line to the tool."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner

from connectors.sandbox.client import Sandbox
from plugin.landing.token import Links
from rightsend import jobs, segments
from rightsend.cli import cli
from rightsend.context import CONFIG_VARIABLE, STATE_VARIABLE, Context
from rightsend.errors import RightsendError
from scoring.snapshot import Snapshot
from scoring.store.keys import customer_hash
from settings.workspace import WorkspaceSettings

SEGMENT = "20260301T000000-0000abcd"
PEOPLE = [f"customer-{n:03d}" for n in range(4)]
CONNECTIONS = """\
connections:
  - name: sandbox
    type: sandbox
    attributes:
      - {name: rightsend_purchase_probability, score: purchase_probability, round_to: 0.1}
    catalog: products
    catalog_fields: [name, price, sellable]
    identify_aliases: {alias: loyalty_card}
    erase_profiles: true
"""
LINKS = [
    ("alias", "4711", "customer-001"),
    ("alias", "4712", "alias:4712"),
    ("device_id", "tablet", "customer-001"),
]
Make = Callable[..., Snapshot]


@pytest.fixture
def connections() -> str:
    return CONNECTIONS


@pytest.fixture(autouse=True)
def without_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots of random scores have no model to forget somebody."""
    monkeypatch.setattr("rightsend.erasure.forget", lambda *_: None)


@pytest.fixture
def night(snapshot_of: Make, tool: Sandbox) -> Snapshot:
    snapshot = snapshot_of("20260301T000000", identifiers=LINKS)
    jobs.publish_missing("shop")
    return snapshot


@pytest.fixture
def segment(context: Context, workspace: WorkspaceSettings, night: Snapshot) -> Path:
    """A finished segment: three to get the message and one control."""
    rows = [
        {"customer_id": each, "rank": n, "probability": 0.5,
         "arm": "control" if each == PEOPLE[3] else "treatment"}
        for n, each in enumerate(PEOPLE, start=1)
    ]  # fmt: skip
    folder = segments.folder_of(context, workspace, SEGMENT)
    segments.write_members(folder, pa.Table.from_pylist(rows, schema=segments.MEMBERS))
    (folder / "request.json").write_text(json.dumps({"name": "Tea lovers"}))
    return folder


@pytest.fixture
def run(context: Context, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A command of the installation; its result."""
    monkeypatch.setenv(CONFIG_VARIABLE, str(context.settings.file))
    monkeypatch.setenv(STATE_VARIABLE, str(context.settings.state_dir))

    def command(*arguments: str) -> Any:
        return CliRunner().invoke(cli, arguments, standalone_mode=False)

    return command


def aliases(tool: Sandbox, customer: str) -> list[str]:
    profile = tool.profile(customer) or {}
    return [each["alias_name"] for each in profile.get("user_aliases", [])]


def test_the_catalog_follows_the_shops_items(night: Snapshot, tool: Sandbox) -> None:
    first, second = jobs.sync("shop"), jobs.sync("shop")
    held = tool.catalog("products")
    assert held["item-00"] == {"name": "Item 00", "price": 0.5, "sellable": True}
    assert [item_id for item_id, item in held.items() if not item["sellable"]] == ["item-29"]
    assert first["sandbox catalog products"]["accepted"] == len(held) == 30
    assert second["sandbox catalog products"]["requests"] == 0


def test_linked_aliases_are_told_once_and_devices_only_where_asked_for(
    night: Snapshot, tool: Sandbox
) -> None:
    first, second = jobs.sync("shop"), jobs.sync("shop")
    assert aliases(tool, "customer-001") == ["4711"]
    assert tool.profile("alias:4712") is None
    counts = [report["sandbox identities"]["accepted"] for report in (first, second)]
    assert counts == [1, 0]


def test_each_part_that_cannot_go_on_is_told_apart(night: Snapshot, tool: Sandbox) -> None:
    tool.fail("forbidden", path="/catalogs", times=9)
    reports = jobs.sync("shop")
    assert "permission" in reports["sandbox catalog products"]["error"]
    assert reports["sandbox"]["accepted"] == 40


def test_an_erased_customers_profile_goes_where_the_client_wants_it(
    night: Snapshot, segment: Path, tool: Sandbox
) -> None:
    jobs.sync("shop")
    jobs.erase_customer("shop", "customer-001")
    assert tool.profile("customer-001") is None
    assert tool.profile("customer-002") is not None
    jobs.sync("shop")
    assert tool.profile("customer-001") is None


def test_a_profile_that_could_not_be_deleted_is_told(night: Snapshot, tool: Sandbox) -> None:
    tool.fail("forbidden", path="/users/delete")
    with pytest.raises(RightsendError, match=r"connection sandbox: .* permission"):
        jobs.erase_customer("shop", "customer-001")
    jobs.erase_customer("shop", "customer-001")
    assert tool.profile("customer-001") is None


def trigger(run: Callable[..., Any], *more: str) -> Any:
    asked = ("--connection", "sandbox", "--campaign", "spring", "--json", *more)
    return run("segment", "trigger", SEGMENT, *asked)


def test_members_get_a_campaign_with_their_own_items_and_link(
    context: Context, night: Snapshot, segment: Path, tool: Sandbox, run: Callable[..., Any]
) -> None:
    jobs.sync("shop")
    tool.define_campaign("spring", template="{{api_trigger_properties.${items}[0].name}}")
    report = json.loads(trigger(run).stdout)
    assert (report["sent"], report["lost"]) == (3, 0)
    messages = {m["customer_id"]: m["properties"] for m in tool.triggered("spring")}
    assert sorted(messages) == PEOPLE[:3]
    (best,) = (s["top_items"] for c, s in night.attributes(["top_items"]) if c == PEOPLE[0])
    properties = messages[PEOPLE[0]]
    assert [item["item_id"] for item in properties["items"]] == best[:10]
    token = properties["landing_url"].rpartition("/")[2]
    landing = Links(context.secret).read(token)
    assert landing is not None
    assert landing.customer == customer_hash(context.secret, "shop", PEOPLE[0])
    assert (landing.workspace, landing.campaign) == ("shop", "spring")


def test_a_second_trigger_sends_to_nobody_and_lost_ones_only_when_asked(
    segment: Path, tool: Sandbox, run: Callable[..., Any]
) -> None:
    tool.define_campaign("spring", template="Hello")
    tool.fail("server_error", path="/campaigns")
    first = trigger(run)
    assert json.loads(first.stdout)["lost"] == 3
    assert "--resend-lost" in first.stderr
    assert (first.return_value, json.loads(trigger(run).stdout)["sent"]) == (1, 0)
    assert json.loads(trigger(run, "--resend-lost").stdout)["sent"] == 3
    assert len(tool.triggered("spring")) == 3


def test_an_erased_customer_leaves_the_books_of_campaigns(
    segment: Path, tool: Sandbox, run: Callable[..., Any]
) -> None:
    tool.define_campaign("spring", template="Hello")
    trigger(run)
    jobs.erase_customer("shop", "customer-001")
    assert b"customer-001" not in (segment / "triggered.sqlite").read_bytes()


def test_bad_input_a_campaign_that_the_tool_does_not_know(
    segment: Path, tool: Sandbox, run: Callable[..., Any]
) -> None:
    result = trigger(run)
    assert (
        "refused: 3 Invalid Campaign ID"
        in run(
            "segment", "trigger", SEGMENT, "--connection", "sandbox", "--campaign", "spring"
        ).stdout
    )
    assert result.return_value == 1


def test_bad_input_a_segment_without_members_is_said(
    night: Snapshot, run: Callable[..., Any]
) -> None:
    assert "has no members yet" in str(trigger(run).exception)


@pytest.mark.parametrize("name", ["..", ".", "", "../../other/segments/s1", "a/b", "a\0b"])
@pytest.mark.parametrize("command", ["trigger", "push"])
def test_bad_input_a_segment_of_another_workspace_is_not_ours(
    command: str, name: str, run: Callable[..., Any]
) -> None:
    more = ["--campaign", "spring"] if command == "trigger" else []
    result = run("segment", command, name, "--connection", "sandbox", *more)
    assert "is not the id of a segment" in str(result.exception)


def test_the_audience_of_a_segment_is_a_file_of_customers(
    segment: Path, tool: Sandbox, run: Callable[..., Any], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("connectors.braze.audience.time", SimpleNamespace(sleep=lambda _: None))
    jobs.push_segment("shop", SEGMENT, "sandbox")
    output = tmp_path / "audience.csv"
    result = run("audience", "sandbox", SEGMENT, "--output", str(output))
    assert result.exception is None
    assert output.read_text().splitlines() == ["customer_id", *PEOPLE[:3]]


def test_bad_input_an_unknown_audience_leaves_no_file(
    night: Snapshot, run: Callable[..., Any], tmp_path: Path
) -> None:
    output = tmp_path / "audience.csv"
    result = run("audience", "sandbox", "nobody", "--output", str(output))
    assert "Invalid segment_id" in str(result.exception)
    assert list(tmp_path.glob("*audience*")) == []


def test_bad_input_an_unknown_audience_prints_no_half_table(
    night: Snapshot, run: Callable[..., Any]
) -> None:
    result = run("audience", "sandbox", "nobody")
    assert (result.stdout, "Invalid segment_id" in str(result.exception)) == ("", True)
