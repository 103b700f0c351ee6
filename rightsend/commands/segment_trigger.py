"""`rightsend segment trigger`."""

from __future__ import annotations

import click

from connectors.delivery import TriggerReport
from rightsend import triggers
from rightsend.auditing import audited
from rightsend.commands.options import (
    installation,
    json_option,
    print_json,
    workspace_option,
)
from rightsend.commands.stopping import STOPPED, stopped_by_signal
from rightsend.context import Context
from rightsend.progress import Progress


@click.command()
@click.argument("segment_id")
@click.option("--connection", required=True, help="Name of a connection in the configuration.")
@click.option("--campaign", required=True, help="Id of an API-triggered campaign of the tool.")
@click.option(
    "--resend-lost",
    is_flag=True,
    help="Also to those of whom an earlier run does not know whether they got it.",
)
@installation
@workspace_option
@json_option
def trigger(
    context: Context,
    workspace: str | None,
    segment_id: str,
    connection: str,
    campaign: str,
    resend_lost: bool,
    as_json: bool,
) -> int:
    """Start a campaign for these members (without the control arm), each with their own items.

    Nobody gets it twice: run it again to go on after Ctrl-C or a failure. When the tool's answer
    to a request was lost, its members are counted as lost and left alone.

    \b
    Example:
      rightsend segment trigger 5f0c2a --connection braze --campaign 9c2b-spring
    """
    chosen = context.workspace(workspace)
    about = {"segment": segment_id, "connection": connection, "campaign": campaign}
    with (
        context.store(),
        Progress(quiet=as_json) as progress,
        stopped_by_signal() as asked,
        audited(context, chosen, "segment.triggered", **about),
    ):
        report = triggers.trigger(
            context,
            chosen,
            segment_id,
            triggers.Send(connection, campaign, resend_lost),
            progress,
            stop=asked.is_set,
        )
    if as_json:
        print_json(report.to_json())
    else:
        click.echo(
            f"{report.sent} sent, {report.already} not again, {report.lost} lost, "
            f"{sum(report.refused.values())} refused, {report.unaddressable} without external id"
        )
        for reason, count in report.refused.items():
            click.echo(f"refused: {count} {reason}")
    _tell(report)
    if not report.finished:
        return STOPPED
    return 1 if report.lost or report.refused else 0


def _tell(report: TriggerReport) -> None:
    """What a person has to know or to do."""
    if not report.finished:
        click.echo("rightsend: stopped before it was done; run it again to go on", err=True)
    if report.lost:
        click.echo(
            f"rightsend: {report.lost} may have got the message and may not; "
            "--resend-lost sends it to them again",
            err=True,
        )
