"""`rightsend segment`: who would answer this campaign."""

from __future__ import annotations

import json
import shutil
from itertools import islice
from pathlib import Path
from typing import Any

import click
import marshmallow

from plugin.segments.schema import from_json, to_json
from rightsend import segments
from rightsend.auditing import audited
from rightsend.commands.options import (
    installation,
    json_option,
    print_json,
    table,
    words,
    workspace_option,
)
from rightsend.commands.output import target
from rightsend.commands.segment_trigger import trigger
from rightsend.context import Context
from rightsend.errors import RightsendError
from rightsend.progress import Progress
from settings.workspace import WorkspaceSettings

SIZES = ("count", "share", "minimum_probability", "budget", "maximum_profit")


@click.group()
def segment() -> None:
    """Make segments, list, show, export, push, trigger and cancel them.

    \b
    Example:
      rightsend segment create --category CHEESE --share 0.2
    """


@segment.command()
@click.option("--name", help="Name in the host tool (default: the target).")
@click.option("--item", "items", multiple=True, help="Item id (repeatable).")
@click.option("--brand", "brands", multiple=True, help="Brand (repeatable).")
@click.option("--category", "categories", multiple=True, help="Category (repeatable).")
@click.option(
    "--items-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of item ids, one a line.",
)
@click.option(
    "--where",
    "rule",
    multiple=True,
    metavar="CONDITION",
    help="Items such as 'price >= 10' or 'category under FOOD' (repeatable: all of them).",
)
@click.option("--match", type=click.Choice(["any", "all"]), default="any", help="Of the targets.")
@click.option("--count", type=int, help="Size: this many customers.")
@click.option("--share", type=float, help="Size: this share of all customers, such as 0.2.")
@click.option("--minimum-probability", type=float, help="Size: all at least this likely.")
@click.option("--budget", type=float, help="Size: as many as this pays for.")
@click.option(
    "--max-profit",
    "--maximum-profit",
    "maximum_profit",
    is_flag=True,
    help="Size: as many as pay for themselves.",
)
@click.option("--goal", type=click.Choice(["purchase", "click"]), default="purchase")
@click.option("--horizon-days", type=int, help="Answer within (1 to 90; default: the model's).")
@click.option("--recent-buyer-days", type=int, help="Leave out who bought it this recently.")
@click.option("--with-ad-consent", is_flag=True, help="Leave out who did not agree to ads.")
@click.option("--not-fatigued", is_flag=True, help="Leave out who got many messages lately.")
@click.option("--holdout-share", type=float, help="This share gets nothing; default: workspace's.")
@click.option(
    "--cost", "--cost-per-send", "cost_per_send", type=float, help="A send (default: workspace's)."
)
@click.option("--margin", type=float, help="An answer (default: from the items).")
@click.option("--preview", is_flag=True, help="Only size against profit; make nothing.")
@installation
@workspace_option
@json_option
def create(
    context: Context, workspace: str | None, preview: bool, as_json: bool, **wishes: Any
) -> None:
    """Compute who would answer; keep the members.

    Give at least one target and exactly one size. A horizon other than the model's is learned
    first, once a night.

    \b
    Example:
      rightsend segment create --category CHEESE --share 0.2 --holdout-share 0.1
      rightsend segment create --where 'price >= 10' --max-profit --margin 2.5 --cost 0.02
    """
    request = _request(wishes)
    chosen = context.workspace(workspace)
    with context.store(), Progress(quiet=as_json) as progress:
        if preview:
            answer = segments.preview(context, chosen, request, progress)
        else:
            jobs = segments.jobs_of(context, chosen)
            job, _ = jobs.create(request, now=context.now(chosen))
            answer = {"id": job["id"], "name": request["name"]}
            with audited(context, chosen, "segment.created", segment=job["id"]):
                answer |= _computed(context, chosen, job["id"], progress)
    if as_json:
        print_json(answer)
    elif preview:
        _show_preview(answer)
    else:
        click.echo("\n".join(f"{key.replace('_', ' ')}: {value}" for key, value in answer.items()))


@segment.command("list")
@installation
@workspace_option
@json_option
def list_(context: Context, workspace: str | None, as_json: bool) -> None:
    """List the segments, newest first.

    \b
    Example:
      rightsend segment list
    """
    with context.store():
        found = segments.jobs_of(context, context.workspace(workspace)).list()
    if as_json:
        print_json({"segments": found})
        return
    rows = [
        (
            job["id"],
            job["state"],
            (job.get("summary") or {}).get("count"),
            job["request"]["name"],
        )
        for job in found
    ]
    click.echo(table(rows, ("id", "state", "customers", "name")))


@segment.command()
@click.argument("segment_id")
@click.option("--members", type=click.IntRange(min=1), help="Also the so many best, with reasons.")
@installation
@workspace_option
@json_option
def show(
    context: Context, workspace: str | None, segment_id: str, members: int | None, as_json: bool
) -> None:
    """Show a segment: request, state, expected answers and profit.

    \b
    Example:
      rightsend segment show 5f0c2a --members 10
    """
    chosen = context.workspace(workspace)
    with context.store():
        job = _job(context, workspace, segment_id)
    if members:
        folder = segments.folder_of(context, chosen, segment_id)
        job["members"] = list(islice(segments.members(folder), members))
    if as_json:
        print_json(job)
        return
    best = job.pop("members", [])
    lines = (f"{key}: {words(value)}" for key, value in job.items() if value is not None)
    click.echo("\n".join(lines))
    if best:
        columns = ("rank", "customer_id", "probability", "reasons")
        best = [row | {"probability": round(row["probability"], 4)} for row in best]
        rows = [tuple(row.get(name) for name in columns) for row in best]
        click.echo(table(rows, ("rank", "customer", "probability", "reasons")))


@segment.command()
@click.argument("segment_id")
@click.option("--format", "kind", type=click.Choice(["csv", "ndjson"]), default="csv")
@click.option("--output", type=click.Path(path_type=Path), help="File (default: stdout).")
@installation
@workspace_option
def export(
    context: Context, workspace: str | None, segment_id: str, kind: str, output: Path | None
) -> None:
    """Write the members: customer_id, rank, probability, arm, reasons, reason_codes.

    \b
    Example:
      rightsend segment export 5f0c2a --output cheese.csv
    """
    chosen = context.workspace(workspace)
    folder = segments.folder_of(context, chosen, segment_id)
    with (
        audited(context, chosen, "members.downloaded", segment=segment_id),
        segments.open_members(folder, kind) as members,
        target(output) as out,
    ):
        shutil.copyfileobj(members, out)


@segment.command()
@click.argument("segment_id")
@click.option("--connection", required=True, help="Name of a connection in the configuration.")
@installation
@workspace_option
@json_option
def push(
    context: Context, workspace: str | None, segment_id: str, connection: str, as_json: bool
) -> None:
    """Make the host tool's segment hold exactly these members (without the control arm).

    \b
    Example:
      rightsend segment push 5f0c2a --connection braze
    """
    chosen = context.workspace(workspace)
    about = {"segment": segment_id, "connection": connection}
    with (
        Progress(quiet=as_json) as progress,
        audited(context, chosen, "segment.pushed", **about),
    ):
        report = segments.push(context, chosen, segment_id, connection, progress).to_json()
    if as_json:
        print_json(report)
    else:
        click.echo(
            f"{report['members']} members in {connection}: {report['added']} added, "
            f"{report['removed']} removed, {report['requests']} requests"
        )


@segment.command()
@click.argument("segment_id")
@installation
@workspace_option
def cancel(context: Context, workspace: str | None, segment_id: str) -> None:
    """Cancel a segment that is waiting or being computed.

    \b
    Example:
      rightsend segment cancel 5f0c2a
    """
    with context.store():
        job = _job(context, workspace, segment_id)
        if job["state"] not in ("queued", "running"):
            raise RightsendError(f"segment {segment_id} is {job['state']}, nothing to cancel")
        chosen = context.workspace(workspace)
        with audited(context, chosen, "segment.cancelled", segment=segment_id):
            segments.jobs_of(context, chosen).cancel(segment_id)
    click.echo(f"segment {segment_id} will stop")


segment.add_command(trigger)


def _computed(
    context: Context, workspace: WorkspaceSettings, segment_id: str, progress: Progress
) -> dict[str, Any]:
    """Runs the job here; whatever stops it is noted in its state."""
    try:
        return segments.run(context, workspace, segment_id, progress)
    except BaseException as error:
        segments.fail(context, workspace, segment_id, str(error) or "stopped")
        raise


def _job(context: Context, workspace: str | None, segment_id: str) -> dict[str, Any]:
    job = segments.jobs_of(context, context.workspace(workspace)).get(segment_id)
    if job is None:
        raise RightsendError(
            f"there is no segment {segment_id}; `rightsend segment list` shows them"
        )
    return dict(job)


def _request(wishes: dict[str, Any]) -> dict[str, Any]:
    """Options → the JSON of a segment request, checked. Raises RightsendError naming the option."""
    target = {name: list(wishes[name]) for name in ("items", "brands", "categories")}
    names = [*(name for group in target.values() for name in group), *wishes["rule"]]
    if wishes["items_file"] is not None:
        target["items"] += _ids(wishes["items_file"])
        names.append(wishes["items_file"].stem)
    rule = [_condition(text) for text in wishes["rule"]]
    document = {
        "name": wishes["name"] or ", ".join(names)[:200] or "segment",
        "target": {**target, "rule": rule, "match": wishes["match"]},
        "size": {
            name: wishes[name]
            for name in SIZES
            if wishes[name] is not None and wishes[name] is not False
        },
        "goal": wishes["goal"],
        "horizon_days": wishes["horizon_days"],
        "exclusions": {
            "recent_buyer_days": wishes["recent_buyer_days"],
            "without_ad_consent": wishes["with_ad_consent"],
            "fatigued": wishes["not_fatigued"],
        },
        "holdout_share": wishes["holdout_share"],
        "cost_per_send": wishes["cost_per_send"],
        "margin": wishes["margin"],
    }
    try:
        json.dumps(document, ensure_ascii=False).encode()
        return to_json(from_json(document))
    except UnicodeEncodeError:
        raise RightsendError(
            "segment request: a name holds bytes that are no UTF-8 text; set the terminal to UTF-8"
        ) from None
    except marshmallow.ValidationError as error:
        raise RightsendError(f"segment request: {_first_complaint(error.messages)}") from None


def _ids(path: Path) -> list[str]:
    """One id a line; blank lines are nothing. Raises RightsendError."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")  # an id may hold other ends
    except (OSError, UnicodeDecodeError) as problem:
        raise RightsendError(f"--items-file {path}: {problem}; expected UTF-8 text") from problem
    ids = [line.strip() for line in lines if line.strip()]
    if not ids:
        raise RightsendError(f"--items-file {path} holds no item id; write one a line")
    return ids


def _condition(text: str) -> dict[str, Any]:
    """'price >= 10' → its JSON; whether it can be, the schema says. Raises RightsendError."""
    parts = text.split(maxsplit=2)
    if len(parts) < 3:
        raise RightsendError(f"--where {text!r}: expected ATTRIBUTE OPERATOR VALUE, 'price >= 10'")
    attribute, operator, value = parts
    if operator in (">=", "<="):
        try:
            return {"attribute": attribute, "operator": operator, "value": float(value)}
        except ValueError:
            raise RightsendError(f"--where {text!r}: {value!r} is not a number") from None
    return {"attribute": attribute, "operator": operator, "value": value}


def _first_complaint(messages: Any, path: str = "") -> str:
    if isinstance(messages, dict):
        key, below = next(iter(messages.items()))
        return _first_complaint(below, path if key == "_schema" else f"{path}{key}: ")
    return f"{path}{messages[0] if isinstance(messages, list) else messages}"


def _show_preview(answer: dict[str, Any]) -> None:
    columns = ("count", "share", "expected_responses", "low", "high", "cost", "profit")
    chosen = [("requested", answer["requested"]), ("most profitable", answer["most_profitable"])]
    points = [("", point) for point in answer["curve"]] + chosen
    rows = [(*(point.get(name) for name in columns), note) for note, point in points]
    click.echo(table(rows, (*(name.replace("_", " ") for name in columns), "")))
