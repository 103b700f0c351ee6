"""A new secret: what was sent, erased and noted under the one before stays known."""

from __future__ import annotations

import pytest

from plugin.app import create_app
from plugin.auth import CONTENT, Keys
from plugin.landing.token import Landing, Links
from plugin.trail import Trail
from rightsend import cli, jobs
from rightsend.context import Context
from scoring.erasure import Erased
from scoring.store.keys import customer_hash
from scoring.store.read import Reader


@pytest.fixture
def rotated(context, workspace, snapshot_of, client, capsys):
    """rotated(): `rightsend secret rotate` over a published snapshot; the context before."""
    snapshot_of("20260301T000000")
    jobs.publish_missing("shop")

    def rotate() -> Context:
        words = ("--config", context.settings.file, "--state", context.settings.state_dir)
        assert cli.run(["secret", "rotate", *map(str, words)]) == 0
        assert "restart all processes now" in capsys.readouterr().err
        return Context.load(context.settings.file, context.settings.state_dir)

    return rotate


def known(client, context: Context, customer: str) -> bool:
    return Reader(client, "shop", context.secret).read(customer).customer_known


def test_customers_are_known_under_the_new_secret_at_once(context, rotated, client):
    assert known(client, context, "customer-001")
    after = rotated()
    assert after.secret != context.secret
    assert known(client, after, "customer-001")


def test_links_and_keys_from_before_go_on(context, rotated, redis_url):
    key = Keys(context.settings.workspace_dir("shop")).create(CONTENT)[1]
    hashed = customer_hash(context.secret, "shop", "customer-001")
    link = Links(context.secret).write(Landing("shop", "spring", hashed, 2**33))
    after = rotated()
    web = create_app(after.settings, redis_url=redis_url).test_client()
    assert web.get(f"/l/{link}").status_code == 200
    landing = Links(after.secret, after.secret.former).read(link)
    assert (landing.workspace, landing.campaign) == ("shop", "spring")
    answer = web.get("/v1/content/for-you?customer=customer-001", headers={"X-Api-Key": key})
    assert answer.get_json()["customer_known"] is True


def test_a_link_of_a_secret_that_was_forgotten_is_forged(context, rotated, capsys):
    link = Links(context.secret).write(Landing("shop", "spring", b"", 2**33))
    rotated()
    words = ("--config", context.settings.file, "--state", context.settings.state_dir)
    assert cli.run(["secret", "forget", *map(str, words)]) == 0
    after = Context.load(context.settings.file, context.settings.state_dir)
    assert Links(after.secret, after.secret.former).read(link) is None


def test_who_was_erased_before_stays_away(context, workspace, rotated):
    folder = context.workspace_dir(workspace)
    Erased(folder, context.secret).add([("external_id", "c01")])
    after = rotated()
    assert Erased(folder, after.secret).holds("external_id", "c01")
    assert not Erased(folder, after.secret).holds("external_id", "c02")


def test_an_erasure_finds_what_is_keyed_with_the_secret_before(
    context, rotated, client, monkeypatch
):
    """The generation before is kept for a while; a person leaves it, too."""
    monkeypatch.setattr("rightsend.erasure.forget", lambda *_: None)
    monkeypatch.setattr("rightsend.erasure._tell_host_tools", lambda *_: [])
    after = rotated()
    with jobs.installed(Context.load(after.settings.file, after.settings.state_dir)):
        jobs.erase_customer("shop", "customer-001")
    hashes = [customer_hash(each.secret, "shop", "customer-001") for each in (context, after)]
    for key in client.scan_iter(b"rs:{shop:*}:c:*"):
        assert not any(client.hexists(key, each) for each in hashes)


def test_the_audit_trail_goes_on_and_stays_whole(context, workspace, rotated):
    folder = context.workspace_dir(workspace)
    Trail(folder, context.secret).note("user:mina", "key.revoked", "done", {})
    after = rotated()
    trail = Trail(folder, after.secret)
    assert trail.verify().broken is None
    assert [record["act"] for record in trail.newest(9)] == ["secret.rotated", "key.revoked"]
