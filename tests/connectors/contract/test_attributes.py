"""What every connector of the registry must do with user attributes, whatever its tool does."""

from __future__ import annotations

import pytest

from connectors import delivery
from connectors.delivery import Busy, Stop, quarantine
from connectors.delivery.lock import only_one
from tests.connectors.doubles import KEY, Double


def held_by(customers: int, probability: float = 0.5) -> dict[str, dict[str, object]]:
    return {
        f"c{n:03}": {"rs_probability": probability, "rs_items": ["a", "b"]}
        for n in range(customers)
    }


def test_first_sync_brings_everybody(double: Double) -> None:
    double.customers(160)
    report = double.sync()
    assert double.held() == held_by(160)
    assert (report.profiles, report.changed, report.accepted) == (160, 160, 160)
    assert report.data_points == report.data_points_full == 320
    assert report.finished


def test_second_sync_of_the_same_sends_nothing(double: Double) -> None:
    double.customers(20)
    double.sync()
    report = double.sync()
    assert (report.changed, report.requests, report.data_points) == (0, 0, 0)


def test_only_the_changed_attribute_of_the_changed_customer_is_sent(double: Double) -> None:
    double.customers(20)
    double.sync()
    double.desired["c007"]["purchase_probability"] = 0.9
    report = double.sync()
    assert (report.changed, report.requests, report.data_points) == (1, 1, 1)
    assert double.held()["c007"] == {"rs_probability": 0.9, "rs_items": ["a", "b"]}


def test_noise_below_the_step_is_no_change(double: Double) -> None:
    double.customers(5, probability=0.501)
    double.sync()
    double.customers(5, probability=0.499)
    assert double.sync().requests == 0


def test_a_vanished_customer_loses_the_attributes(double: Double) -> None:
    double.customers(5)
    double.sync()
    del double.desired["c002"]
    report = double.sync()
    assert "c002" not in double.held()
    assert (report.changed, report.data_points) == (1, 2)
    assert double.sync().requests == 0


def test_an_attribute_that_is_no_longer_configured_is_removed(double: Double) -> None:
    double.customers(3)
    double.sync()
    fewer = delivery.sync(
        type(double.connection)(
            "crm", double.connection.type, double.connection.attributes[:1],
            double.connection.options,
        ),
        double.desired.items(),
        state_path=double.state_path,
    )  # fmt: skip
    assert all(attributes == {"rs_probability": 0.5} for attributes in double.held().values())
    assert fewer.data_points == 3


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(double: Double) -> None:
    double.customers(100)
    report = double.sync(dry_run=True)
    assert (report.changed, report.requests, report.data_points) == (100, 2, 200)
    assert double.held() == {}
    assert double.sync().data_points == 200


def test_customers_without_external_id_are_counted_and_left_out(double: Double) -> None:
    double.desired = {"device_id:9": {"purchase_probability": 0.3}, "": {}, "c1": {"top_items": []}}
    report = double.sync()
    assert (report.unaddressable, report.profiles, report.requests) == (1, 1, 0)


@pytest.mark.parametrize(
    "kind",
    ["rate_limited", "server_error", "unavailable", "locked", "html_error", "server_error_after",
     "html", "invalid_json", "reset"],
)  # fmt: skip
def test_a_passing_fault_is_retried_until_all_is_there(double: Double, kind: str) -> None:
    double.customers(100)
    double.tool.fail(kind, times=2)
    report = double.sync()
    assert double.held() == held_by(100)
    assert (report.accepted, report.retries, report.rejected) == (100, 2, {})


@pytest.mark.parametrize("kind", ["timeout_before", "timeout_after", "drip"])
def test_a_lost_answer_is_asked_for_again(double: Double, kind: str) -> None:
    double.customers(10)
    double.tool.fail(kind, hang_s=2.0)
    report = double.with_options(timeout_s=0.5).sync()
    assert double.held() == held_by(10)
    assert report.accepted == 10
    assert double.sync().requests == 0


@pytest.mark.parametrize(
    ("headers", "least_s"),
    [({}, 0.2), ({"Retry-After": "7"}, 7), ({"X-RateLimit-Retry-After": "7"}, 7),
     ({"X-RateLimit-Reset": "7"}, 7), ({"X-RateLimit-Reset": "1800000007"}, 6),
     ({"Retry-After": "soon"}, 0.2), ({"Retry-After": "-5"}, 0)],
)  # fmt: skip
def test_a_429_is_waited_out_by_whichever_header_it_has(
    double: Double, headers: dict[str, str], least_s: float
) -> None:
    double.customers(1)
    double.tool.fail("rate_limited", headers=headers)
    double.sync()
    assert least_s <= double.time.slept_s <= least_s + 2
    assert double.held() == held_by(1)


@pytest.mark.parametrize("as_seconds", [True, False])
def test_the_rate_window_is_respected_before_the_tool_has_to_say_no(
    double: Double, as_seconds: bool
) -> None:
    double.tool.turn(rate_limit=2, rate_window_s=60.0, reset_as_seconds=as_seconds)
    double.customers(5 * 75)
    report = double.sync()
    assert report.retries == 0
    assert double.time.slept_s >= 120
    assert double.held() == held_by(375)


def test_a_clock_that_is_an_hour_off_does_not_make_us_wait_an_hour(double: Double) -> None:
    double.time.now_s += 3600.0  # of the tool: ours is the machine's
    double.tool.turn(rate_limit=1, rate_window_s=10.0)
    double.customers(150)
    double.sync()
    assert double.time.slept_s <= 12


@pytest.mark.parametrize("kind", ["unauthorized", "forbidden", "gone", "unsupported", "redirect"])
def test_what_a_person_must_mend_ends_the_sync_at_once(double: Double, kind: str) -> None:
    double.customers(100)
    double.tool.fail(kind)
    with pytest.raises(Stop) as stopped:
        double.sync()
    assert stopped.value.report.requests == 1
    assert double.held() == {}
    double.sync()
    assert double.held() == held_by(100)


def test_a_tool_that_stays_down_ends_the_sync_and_the_next_goes_on(double: Double) -> None:
    double.customers(150)
    double.tool.fail("server_error", times=8)
    with pytest.raises(Stop, match="gave up after 8 attempts"):
        double.sync()
    assert double.sync().accepted == 150
    assert double.held() == held_by(150)


@pytest.mark.parametrize("locate", [True, False])
def test_one_bad_customer_does_not_cost_the_others(double: Double, locate: bool) -> None:
    double.tool.turn(blocked=["c011"], locate_errors=locate)
    double.customers(75)
    report = double.sync()
    expected = held_by(75)
    del expected["c011"]
    assert double.held() == expected
    assert sum(report.rejected.values()) == 1
    assert [refused.customer_id for refused in quarantine(double.state_path)] == ["c011"]
    assert "blacklisted" in quarantine(double.state_path)[0].reason


def test_several_bad_customers_are_found_without_their_index(double: Double) -> None:
    blocked = ["c000", "c033", "c034", "c074"]
    double.tool.turn(blocked=blocked, locate_errors=False)
    double.customers(75)
    assert sum(double.sync().rejected.values()) == 4
    assert sorted(double.held()) == [c for c in held_by(75) if c not in blocked]


def test_the_quarantined_are_offered_again_only_when_their_content_changes(double: Double) -> None:
    double.tool.turn(blocked=["c001"])
    double.customers(3)
    double.sync()
    again = double.sync()
    assert (again.requests, again.waiting) == (0, 1)
    double.tool.turn(blocked=[])
    double.desired["c001"]["purchase_probability"] = 0.9
    assert double.sync().accepted == 1
    assert double.held()["c001"] == {"rs_probability": 0.9, "rs_items": ["a", "b"]}
    assert quarantine(double.state_path) == []


def test_a_2xx_that_is_no_success_is_taken_apart(double: Double) -> None:
    double.customers(4)
    double.tool.fail("other_message")
    report = double.sync()
    assert double.held() == held_by(4)
    assert (report.accepted, report.rejected) == (4, {})


def test_too_large_a_request_is_sent_in_halves(double: Double) -> None:
    double.customers(4)
    double.tool.fail("too_large")
    assert double.sync().accepted == 4
    assert double.held() == held_by(4)


def test_bad_input_a_record_over_the_limit_is_quarantined_unsent(double: Double) -> None:
    double.customers(2)
    double.desired["c001"]["top_items"] = ["x" * 100_001]
    report = double.sync()
    assert report.rejected == {"the record is larger than the tool takes": 1}
    assert list(double.held()) == ["c000"]


def test_bad_input_an_external_id_that_is_too_long_is_quarantined_unsent(double: Double) -> None:
    double.desired = {"c" * 988: {"purchase_probability": 0.5}}
    report = double.sync()
    assert (report.requests, sum(report.rejected.values())) == (0, 1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": 1}, [1], 2**70])
def test_bad_input_a_score_that_no_tool_can_hold_leaves_the_customer_alone(
    double: Double, value: object
) -> None:
    double.customers(3)
    double.sync()
    double.desired["c001"]["top_items"] = value
    report = double.sync()
    assert sum(report.rejected.values()) == 1
    assert double.held() == held_by(3)
    double.customers(3)
    assert double.sync().requests == 0
    assert quarantine(double.state_path) == []


def test_bad_input_a_customer_id_that_is_not_text_is_counted(double: Double) -> None:
    double.desired = {"half\ud800": {"purchase_probability": 0.5}}
    assert double.sync().rejected == {"the customer id is not text": 1}


def test_a_tool_that_refuses_everybody_is_not_believed(double: Double) -> None:
    double.customers(500)
    double.tool.turn(blocked=sorted(double.desired))
    with pytest.raises(Stop, match="records in a row"):
        double.sync()
    assert len(quarantine(double.state_path)) < 500


def test_asked_to_stop_it_stops_and_the_next_sync_goes_on(double: Double) -> None:
    double.customers(300)
    report = double.sync(stop=lambda: len(double.held()) >= 150)
    assert (report.finished, report.accepted) == (False, 150)
    rest = double.sync()
    assert (rest.finished, rest.accepted) == (True, 150)
    assert double.held() == held_by(300)


def test_two_syncs_of_one_connection_never_run_at_once(double: Double) -> None:
    double.customers(1)
    lock = double.state_path.with_name("connection.sqlite.attributes.lock")
    with only_one(lock, "the other"), pytest.raises(Busy):
        double.sync()
    assert double.held() == {}
    assert double.sync().accepted == 1


def test_progress_ends_at_the_number_of_changes(double: Double) -> None:
    double.customers(200)
    seen: list[tuple[str, int, int | None]] = []
    double.sync(progress=lambda *step: seen.append(step))
    assert seen[0] == ("read", 200, 200)
    assert seen[-1] == ("send", 200, 200)


@pytest.mark.parametrize("kind", ["unauthorized", "rate_limited", "html", "redirect"])
def test_no_secret_gets_into_errors_or_the_state_file(double: Double, kind: str) -> None:
    double.customers(2)
    double.tool.turn(blocked=["c000"])
    double.tool.fail(kind, times=9)
    with pytest.raises(Stop) as stopped:
        double.sync()
    assert KEY not in repr(stopped.value) + str(stopped.value) + repr(double.connection)
    double.tool.heal()
    double.sync()
    for file in double.state_path.parent.iterdir():
        assert KEY.encode() not in file.read_bytes()


def test_check_is_content_with_a_good_connection(double: Double) -> None:
    assert delivery.check(double.connection) is None


def test_check_names_the_connection_and_the_refused_key(double: Double) -> None:
    problem = delivery.check(double.with_options(api_key="wrong").connection)
    assert problem is not None
    assert "connection crm" in problem
    assert "401" in problem
    assert "wrong" not in problem


def test_bad_input_a_state_file_of_something_else_is_named(double: Double) -> None:
    double.state_path.parent.mkdir()
    double.state_path.write_bytes(b"this is not SQLite" * 100)
    with pytest.raises(Stop, match=r"connection\.sqlite cannot be used"):
        double.sync()


def test_many_customers_twice_in_the_desired_state_count_once(double: Double) -> None:
    desired = [("c1", {"purchase_probability": 0.1}), ("c1", {"purchase_probability": 0.7})]
    delivery.sync(double.connection, desired, state_path=double.state_path)
    assert double.held() == {"c1": {"rs_probability": 0.7}}
