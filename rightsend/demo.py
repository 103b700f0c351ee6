"""The demo's story: a night, a segment, a campaign, and what a newcomer is told about it.

It runs beside the processes that `up` keeps, and speaks to them as any client would: over HTTP and
with keys. What it has done stands in ``STATE/run/demo.json``, so that the next start only tells.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from connectors.sandbox.client import Sandbox
from plugin.auth import ADMIN, CONTENT, EVENTS, SEGMENTS, Keys, WrongKeyError
from plugin.queue import Jobs, Outcome
from rightsend import nights, publishing, sandbox
from rightsend.bestsellers import best_selling_category
from rightsend.context import Context
from rightsend.errors import RightsendError
from rightsend.progress import Progress
from rightsend.up import peak_memory_mb
from scoring.store.segments import FINAL
from settings.workspace import WorkspaceSettings

CAMPAIGN = "for-you"
CREDENTIAL = "rightsend"
SHARE = 0.2
TEMPLATE = Path(__file__).parent / "defaults" / "for_you.liquid"
TEMPLATE_ADDRESS = "https://rightsend.example.com"
WAIT_S = 300.0
POLL_S = 0.2
PERSONAL_IN_A_ROW = 20  # answers; they come from all web workers by turns
CALL_TIMEOUT_S = 30.0


@dataclass
class Told:
    """What happened, as far as it is known; kept between starts."""

    content_key: str = ""
    demo_key: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)  # of the first start
    segment_id: str | None = None
    category: str | None = None
    sent: bool = False

    @classmethod
    def read(cls, path: Path) -> Told:
        try:
            return cls(**json.loads(path.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return cls()

    def write(self, path: Path) -> None:
        """Readable by the owner only: it holds keys."""
        draft = path.with_name(f".{path.name}.new")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(self), file, indent=1)
        draft.replace(path)


class Story:
    """The steps, each of which can be done again; finished ones are skipped."""

    def __init__(self, context: Context, *, progress: Progress, say: Callable[[str], None]) -> None:
        self.context = context
        self.workspace = context.workspace()
        self._progress = progress
        self._say = say
        self._path = context.settings.state_dir / "run" / "demo.json"
        self.told = Told.read(self._path)

    def run(self) -> None:
        """Everything that is not done yet, and then the summary."""
        started = time.monotonic()
        new = not self.told.sent
        self._make_keys()
        self._night()
        self._wait_until_ready()
        self._segment()
        self._campaign()
        self._progress.close()
        if new:
            self.told.numbers |= {
                "seconds": round(time.monotonic() - started),
                "peak_mb": peak_memory_mb(self.context.settings.state_dir),
            }
            self._keep()
        self._say("\n".join(summary(self.context, self.told, self._landing_url())))

    def _make_keys(self) -> None:
        keys = Keys(self.context.workspace_dir(self.workspace))
        if not _accepted(keys, self.told.content_key, CONTENT):
            _, self.told.content_key = keys.create(CONTENT, label="demo: messaging tool")
        if not _accepted(keys, self.told.demo_key, SEGMENTS):
            scopes = (CONTENT, EVENTS, SEGMENTS, ADMIN)
            _, self.told.demo_key = keys.create(scopes, label="demo: to try everything")
        self._keep()

    def _night(self) -> None:
        """The first night; afterwards only what the store may have lost."""
        missing = publishing.publish_what_is_missing(self.context, self.workspace, self._progress)
        active = publishing.publisher_of(self.context, self.workspace).active()
        if missing or active:
            return
        report = nights.run(self.context, self.workspace, self._progress).to_json()
        if report["state"] != "done":
            raise RightsendError(
                f"run {report['run']} ended as {report['state']}: "
                f"{(report.get('report') or {}).get('reason', 'see `rightsend runs show`')}"
            )

    def _segment(self) -> None:
        """The customers most likely to buy from the best-selling category, by REST."""
        if self.told.sent:
            return
        if self.told.segment_id is None:
            self.told.category = best_selling_category(self.context, self.workspace)
            body = {
                "name": f"Likely to buy {self.told.category}",
                "target": {"categories": [self.told.category]},
                "size": {"share": SHARE},
            }
            self.told.segment_id = self._call("POST", "/v1/segments", json=body)["id"]
            self._keep()
        path = f"/v1/segments/{self.told.segment_id}"
        job = self._poll(path, "segment", lambda job: job["state"] in FINAL)
        if job["state"] != "done":
            self.told.segment_id = None
            self._keep()
            raise RightsendError(f"the segment ended as {job['state']}: {job.get('error')}")

    def _campaign(self) -> None:
        """The segment goes to the sandbox tool, which renders and sends one message a member."""
        if self.told.sent:
            return
        connection = _sandbox_connection(self.workspace)
        self._progress("push segment", 0, None)
        push = self._call(
            "POST", f"/v1/segments/{self.told.segment_id}/push", json={"connection": connection}
        )
        tool = sandbox.client(self.context)
        self._wait_for_members(tool, push["job"])
        self._wait_until_personal()
        tool.define_credential(CREDENTIAL, "rightsend", self.told.content_key)
        template = TEMPLATE.read_text().replace(TEMPLATE_ADDRESS, self.context.settings.public_url)
        tool.define_campaign(
            CAMPAIGN, template=template, cohort_id=self.told.segment_id, name="Recommended for you"
        )
        state = tool.send(
            CAMPAIGN, progress=lambda done, total: self._progress("send messages", done, total)
        )
        self.told.numbers |= {name: state[name] for name in ("sent", "aborted", "failed")}
        sent = tool.outbox(CAMPAIGN, "sent")
        self.told.numbers["customer"] = sent[0]["external_id"] if sent else self._members()[0]
        self.told.sent = True
        self._keep()

    def _wait_for_members(self, tool: Sandbox, job_id: str) -> None:
        jobs = Jobs(self.context.client(), self.workspace.workspace)

        def outcome() -> Outcome | None:
            found = jobs.wait(job_id, 0)
            return found if found is None or found.state in ("done", "failed") else None

        ended: Outcome | None = _until(outcome, "pushing the segment")
        error = (ended.result or {}).get("error") if ended else None
        if error or ended is None or not tool.members(str(self.told.segment_id)):
            raise RightsendError(f"the segment could not be pushed: {error or 'see the logs'}")

    def _wait_until_personal(self) -> None:
        """A campaign goes out when every web worker has read the new catalogue."""
        path = f"/v1/content/for-you?customer={quote(self._members()[0], safe='')}"
        in_a_row = 0

        def personal() -> bool:
            nonlocal in_a_row
            in_a_row = 0 if self._call("GET", path)["fallback"] else in_a_row + 1
            return in_a_row >= PERSONAL_IN_A_ROW

        _until(personal, "personal content", every_s=0.02)

    def _members(self) -> list[str]:
        """Of the campaign, as the sandbox tool knows them."""
        return sandbox.client(self.context).members(str(self.told.segment_id))

    def _wait_until_ready(self) -> None:
        def ready() -> bool:
            try:
                url = f"{self.context.settings.public_url}/readyz"
                return requests.get(url, timeout=CALL_TIMEOUT_S).ok
            except requests.ConnectionError:
                return False

        _until(ready, "the web process")

    def _landing_url(self) -> str | None:
        customer = quote(str(self.told.numbers["customer"]), safe="")
        return self._call("GET", f"/v1/content/for-you?customer={customer}").get("landing_url")

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        url = self.context.settings.public_url + path
        headers = {"X-Api-Key": self.told.demo_key}
        response = requests.request(method, url, headers=headers, timeout=CALL_TIMEOUT_S, **options)
        body = response.json()
        if not response.ok:
            raise RightsendError(f"{method} {path}: {response.status_code} {body.get('error')}")
        return dict(body)

    def _poll(self, path: str, what: str, done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = self._call("GET", path)
            self._progress(what, round(100 * (found.get("progress") or 0)), 100)
            return found if done(found) else None

        return dict(_until(look, what))

    def _keep(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self.told.write(self._path)


def summary(context: Context, told: Told, landing_url: str | None) -> list[str]:
    """What a newcomer reads at the end."""
    settings, numbers = context.settings, told.numbers
    meta = publishing.open_snapshot(context, context.workspace()).meta
    customer = quote(str(numbers["customer"]), safe="")
    program = shlex.quote(_shown(Path(sys.executable).parent / "rightsend"))
    where = f" --state {shlex.quote(_shown(settings.state_dir))}"
    address = settings.public_url
    tool = settings.sandbox_url
    return [
        "",
        f"Rightsend is up: {meta.customers:,} customers and {meta.items:,} items scored as of "
        f"{meta.cutoff:%Y-%m-%d}; the first start took {numbers['seconds']} s and at most "
        f"{_memory(numbers.get('peak_mb'))} of memory in all.",
        f"The sandbox messaging tool sent {numbers['sent']:,} messages to the {SHARE:.0%} most "
        f"likely to buy {told.category}; {numbers['aborted']} aborted, {numbers['failed']} failed.",
        "",
        "To try:",
        "  what a message would show to one customer",
        f"    curl -s -H 'X-Api-Key: {told.demo_key}' "
        f"'{address}/v1/content/for-you?customer={customer}&limit=3'",
        "  who would buy next week, and is it worth the send?",
        f"    {program} segment create{where} --category {shlex.quote(str(told.category))} "
        "--maximum-profit --cost-per-send 0.05",
        f"  a message as a customer got it (all of them: {tool}/outbox/{CAMPAIGN})",
        f"    curl -s -H 'Authorization: Bearer {context.sandbox_key}' "
        f"{tool}/sandbox/campaigns/{CAMPAIGN}/messages | head -n 1",
        "",
        f"A landing page: {landing_url}",
        f"All routes:     {address}/docs",
        "Ctrl-C ends every process; the next start takes seconds.",
    ]


def _accepted(keys: Keys, key: str, scope: str) -> bool:
    try:
        keys.verify(key, scope)
    except WrongKeyError:
        return False
    return True


def _sandbox_connection(workspace: WorkspaceSettings) -> str:
    for connection in workspace.connections:
        if connection.type == "sandbox":
            return connection.name
    raise RightsendError(
        f"{workspace.file} has no connection of type sandbox, which the demo sends through; "
        "use `rightsend up`"
    )


def _until(condition: Callable[[], Any], what: str, *, every_s: float = POLL_S) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise RightsendError(f"{what}: not done after {WAIT_S:g} s")
        time.sleep(every_s)
    return value


def _memory(mb: float | None) -> str:
    return "an unknown amount" if mb is None else f"{mb / 1024:.1f} GB"


def _shown(path: Path) -> str:
    """The path as it can be typed here."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
