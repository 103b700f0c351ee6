"""Every key of a workspace or service file with values that it cannot have."""

from __future__ import annotations

import pytest

from tests.settings.conftest import Folder, complete

# text of a workspace file · line · key · found · a part of expected
WORKSPACE: list[tuple[str, int, str, str, str]] = [
    ("workspace: Shop", 1, "workspace", "'Shop'", "a-z"),
    ("workspace: -shop", 1, "workspace", "'-shop'", "a-z"),
    ("workspace: ../x", 1, "workspace", "'../x'", "a-z"),
    ('workspace: "shop\\n"', 1, "workspace", "'shop\\n'", "a-z"),
    (f"workspace: {'x' * 41}", 1, "workspace", f"'{'x' * 41}'", "at most 40"),
    ("workspace: 5", 1, "workspace", "5", "text (a number in quotes)"),
    ("workspace:", 1, "workspace", "nothing (null)", "a value"),
    ("locale: fr", 1, "locale", "'fr'", "one of: en, ko"),
    ("timezone: Asia/Soul", 1, "timezone", "'Asia/Soul'", "did you mean Asia/Seoul?"),
    ("timezone: ../etc/passwd", 1, "timezone", "'../etc/passwd'", "IANA"),
    ("timezone: America", 1, "timezone", "'America'", "IANA"),
    ("currency: won", 1, "currency", "'won'", "ISO 4217"),
    ("as_of: 2017-12-04T00:00:00", 1, "as_of", "'2017-12-04T00:00:00'", "add Z for UTC"),
    ("as_of: 2017-12-04", 1, "as_of", "'2017-12-04'", "add Z for UTC"),
    ("as_of: 2017-02-30T00:00:00Z", 1, "as_of", "'2017-02-30T00:00:00Z'", "a time with its zone"),
    ("as_of: yesterday", 1, "as_of", "'yesterday'", "a time with its zone"),
    ("as_of: 1512345600", 1, "as_of", "1512345600", "a time with its zone"),
    ("as_of: 9999-12-31T23:59:59Z", 1, "as_of", "'9999-12-31T23:59:59Z'", "from 1970 to 2500"),
    ("as_of: 1969-12-31T23:59:59Z", 1, "as_of", "'1969-12-31T23:59:59Z'", "from 1970 to 2500"),
    ("as_of: 0001-01-01T00:00:00+09:00", 1, "as_of", "'0001-01-01T00:00:00+09:00'", "a time"),
    ("keep_snapshots: 0", 1, "keep_snapshots", "0", "a number from 1 to 365"),
    ("keep_snapshots: 1.5", 1, "keep_snapshots", "1.5", "a whole number"),
    ("keep_snapshots: true", 1, "keep_snapshots", "true", "a whole number"),
    ("keep_snapshots: many", 1, "keep_snapshots", "'many'", "a whole number"),
    ("keep_snapshots: [1]", 1, "keep_snapshots", "a list", "a whole number"),
    ("schedule:\n  nightly: 3 am", 2, "schedule.nightly", "'3 am'", "cron expression"),
    ("schedule:\n  nightly: 0 25 * * *", 2, "schedule.nightly", "'0 25 * * *'", "cron expression"),
    ("schedule:\n  nightly: 0 3 * * 1", 2, "schedule.nightly", "'0 3 * * 1'", "by name"),
    ("schedule:\n  nightly: 0 3 31 2 *", 2, "schedule.nightly", "'0 3 31 2 *'", "comes true"),
    ("schedule:\n  nightly: 3", 2, "schedule.nightly", "3", "text"),
    ("models:\n  horizon_days: 0", 2, "models.horizon_days", "0", "from 1 to 90"),
    ("models:\n  seed: -1", 2, "models.seed", "-1", "from 0"),
    ("models: 5", 1, "models", "5", "a mapping"),
    ("models: [a]", 1, "models", "a list", "a mapping"),
    ("models:", 1, "models", "nothing (null)", "the key left out"),
    ("gate:\n  min_coverage_share: 95", 2, "gate.min_coverage_share", "95", "from 0 to 1"),
    ("gate:\n  min_coverage_share: .nan", 2, "gate.min_coverage_share", "nan", "a finite number"),
    ("gate:\n  min_coverage_share: 1e999", 2, "gate.min_coverage_share", "inf", "a finite number"),
    ("content:\n  max_limit: 101", 2, "content.max_limit", "101", "from 1 to 100"),
    ("content:\n  max_limit: 5", 2, "content.max_limit", "5", "at most max_limit"),
    ("content:\n\n  default_limit: 60", 3, "content.default_limit", "60", "at most max_limit"),
    ("landing:\n  accent_color: blue", 2, "landing.accent_color", "'blue'", '"#0b5cd5"'),
    ("landing:\n  accent_color:  # no", 2, "landing.accent_color", "nothing (null)", "a value"),
    ('landing:\n  accent_color: "#12345;x"', 2, "landing.accent_color", "'#12345;x'", "a colour"),
    ("landing:\n  title: Hello", 2, "landing.title", "'Hello'", "a mapping"),
    ("landing:\n  title:\n    fr: Bonjour", 3, "landing.title.fr", "'Bonjour'", "en, ko"),
    ("landing:\n  title: {en: ''}", 2, "landing.title.en", "''", "text of 1 to 200"),
    ("segments:\n  holdout_share: 0.95", 2, "segments.holdout_share", "0.95", "0 to 0.9"),
    ("segments:\n  cost_per_send: -1", 2, "segments.cost_per_send", "-1", "a number from 0"),
    ("send:\n  max_sends: 21", 2, "send.max_sends", "21", "from 1 to 20"),
    ("send:\n  max_sends_days: 15", 2, "send.max_sends_days", "15", "from 1 to 14"),
    ("segments:\n  max_sends: 0", 2, "segments.max_sends", "0", "from 1 to 1000"),
    ("send:\n  when_unknown: maybe", 2, "send.when_unknown", "'maybe'", "true or false"),
    ("sources: []", 1, "sources", "an empty list", "at least one source"),
    ("sources: orders.csv", 1, "sources", "'orders.csv'", "a valid list"),
    ("sources: [orders.csv]", 1, "sources[0]", "'orders.csv'", "a mapping"),
    ("model: {}", 1, "model", "the unknown key 'model'", "did you mean models?"),
    ("web: {port: 1}", 1, "web", "the unknown key 'web'", "one of: as_of"),
    ("models:\n  sead: 1", 2, "models.sead", "the unknown key 'sead'", "did you mean seed?"),
]

SERVICE: list[tuple[str, int, str, str, str]] = [
    ("log_level: loud", 1, "log_level", "'loud'", "one of: debug"),
    ("state_dir: ''", 1, "state_dir", "''", "text of 1"),
    ("redis_url: localhost", 1, "redis_url", "a value that is not shown", "redis://"),
    ("secret: short", 1, "secret", "a value that is not shown", "at least 16"),
    ("web:\n  port: 70000", 2, "web.port", "70000", "from 1 to 65535"),
    ("web:\n  port: http", 2, "web.port", "'http'", "a whole number"),
    ("web:\n  host: http://x/", 2, "web.host", "'http://x/'", "a host name"),
    ("web:\n  workers: 0", 2, "web.workers", "0", "from 1"),
    ("web:\n  public_url: x.com", 2, "web.public_url", "'x.com'", "http://"),
    ("web:\n  public_url: https://x.com?a=b", 2, "web.public_url", "'https://x.com?a=b'", "http"),
    ("sandbox:\n  enabled: on", 2, "sandbox.enabled", "'on'", "true or false"),
    ("sandbox:\n  enabled: 1", 2, "sandbox.enabled", "1", "true or false"),
    ("sandbox:\n  prot: 1", 2, "sandbox.prot", "the unknown key 'prot'", "did you mean port?"),
    ("workspace_dir: a", 1, "workspace_dir", "the unknown key 'workspace_dir'", "did you mean"),
]


@pytest.mark.parametrize(("text", "line", "key", "found", "expected"), WORKSPACE)
def test_bad_input_workspace_file(
    folder: Folder, text: str, line: int, key: str, found: str, expected: str
) -> None:
    problem = folder.problem(text)
    assert (problem.line, problem.key, problem.found) == (line, key, found)
    assert expected in problem.expected


@pytest.mark.parametrize(("text", "line", "key", "found", "expected"), SERVICE)
def test_bad_input_service_file(
    folder: Folder, text: str, line: int, key: str, found: str, expected: str
) -> None:
    folder.write("shop.yaml", complete(""))
    (problem,) = folder.problems(f"{text}\nworkspaces: [shop.yaml]")
    assert (problem.line, problem.key, problem.found) == (line, key, found)
    assert expected in problem.expected


def test_bad_input_missing_keys_stand_at_their_section(folder: Folder) -> None:
    problems = folder.problems("workspace: shop\nsources:\n- type: file\n  table: items\n")
    assert [(each.line, each.key, each.found) for each in problems] == [
        (3, "sources[0].name", "nothing"),
        (3, "sources[0].columns", "nothing"),
        (3, "sources[0].path", "nothing"),
    ]


def test_bad_input_long_values_are_cut(folder: Folder) -> None:
    assert len(folder.problem(f"locale: {'x' * 10_000}").found) == 60


def test_bad_input_a_service_with_the_keys_of_a_workspace(folder: Folder) -> None:
    problems = folder.problems(complete("workspaces: [a.yaml]\nworkspace: shop"))
    assert [each.found for each in problems] == ["the unknown key 'workspaces'"]
