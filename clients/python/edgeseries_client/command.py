"""The command `edgeseries`: what a terminal wants of a server. `edgeseries --help` lists it.

Data goes to standard output or to `-o`, bars and errors to standard error. Exit status 1 with a sentence when
the server says no.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any, Final

import click

from edgeseries_client.client import Client
from edgeseries_client.errors import EdgeSeriesError
from edgeseries_client.sites import SitesMissing

ENDS: Final = "FILE ends in .parquet, .arrow, .csv, .ndjson or .json"


class _Group(click.Group):
    """Errors of this package are sentences for people, not tracebacks."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (EdgeSeriesError, ValueError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group)
@click.option(
    "--url", envvar="EDGESERIES_URL", help="The server. Default: EDGESERIES_URL, or `make dev` here."
)
@click.option(
    "--api-key", envvar="EDGESERIES_KEY", help="An API key; better: EDGESERIES_KEY in the environment."
)
@click.option("--quiet", is_flag=True, help="No bars.")
@click.pass_context
def main(context: click.Context, url: str | None, api_key: str | None, *, quiet: bool) -> None:
    """Building telemetry from an EdgeSeries server."""
    context.obj = Client(url, api_key, progress=False if quiet else "auto")
    context.call_on_close(context.obj.close)


def say(document: Any) -> None:
    """JSON for pipes and people."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


@main.command()
@click.pass_obj
def sites(client: Client) -> None:
    """Names of the sites."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SitesMissing)
        found = client.sites()
    for name in found:
        click.echo(name)
    for one in found.unanswered:
        click.echo(f"Incomplete: {one}", err=True)


@main.command()
@click.argument("site")
@click.option("-q", "--query", help="Words of the name.")
@click.option("--unit", help="Only points of this unit.")
@click.option("--kind", help="Only points of this kind.")
@click.option("--json", "as_json", is_flag=True, help="All that is known, as JSON.")
@click.pass_obj
def points(
    client: Client, site: str, query: str | None, unit: str | None, kind: str | None, *, as_json: bool
) -> None:
    """Points of a SITE: name, unit, kind, seconds between samples."""
    found = client.site(site).points(q=query, unit=unit, kind=kind)
    if as_json:
        say(found)
        return
    for one in found:
        known = (one["name"], one["unit"] or "", one["kind"] or "", str(one["intervalSeconds"] or ""))
        click.echo("\t".join(known).rstrip("\t"))


@main.command()
@click.argument("site")
@click.argument("names", nargs=-1, required=True, metavar="POINT...")
@click.option("--start", required=True, help="2015-03-01, 2015-03-01T06:00:00Z, -7d.")
@click.option("--end", default="now", show_default=True, help="As --start; not in the range itself.")
@click.option("--every", help="Buckets: 15m, 1h, 1d, 1M.")
@click.option("--agg", multiple=True, help="Of buckets: mean, min, max, sum, count; may come again.")
@click.option("--tz", help="Zone of days and calendar buckets, as Europe/Brussels. Default: UTC.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help=ENDS)
@click.pass_obj
def get(client: Client, /, site: str, names: tuple[str, ...], output: Path | None, **how: Any) -> None:
    """Samples of POINTs of a SITE: into a file, of any size, or as lines of CSV."""
    start, end = how.pop("start"), how.pop("end")
    chosen = {name: value for name, value in how.items() if value}
    if output is not None:
        made = client.site(site).save(names, start, end, output, **chosen)
        click.echo(f"{made}: {made.stat().st_size:,} bytes", err=True)
        return
    for line in client.site(site).lines(names, start, end, **chosen):
        click.echo(line)


@main.command()
@click.argument("site")
@click.argument("names", nargs=-1, metavar="[POINT]...")
@click.pass_obj
def latest(client: Client, site: str, names: tuple[str, ...]) -> None:
    """The last sample of each POINT, or of all of a SITE."""
    say(client.site(site).latest(names or None))


@main.command()
@click.argument("site")
@click.argument("names", nargs=-1, required=True, metavar="POINT...")
@click.option("--start", required=True)
@click.option("--end", default="now", show_default=True)
@click.pass_obj
def coverage(client: Client, site: str, names: tuple[str, ...], start: str, end: str) -> None:
    """Which days of POINTs of a SITE are stored, empty, missing, live."""
    say(client.site(site).coverage(names, start, end))


@main.command()
@click.argument("site")
@click.argument("names", nargs=-1, required=True, metavar="POINT...")
@click.option("--days", default=7, show_default=True, help="So many days before today.")
@click.pass_obj
def warm(client: Client, site: str, names: tuple[str, ...], days: int) -> None:
    """Have what is not stored of POINTs of a SITE fetched; tells the job."""
    made = client.site(site).warm(names, days=days)
    click.echo(f"{made.job_id}\t{made.status}")


@main.group()
def job() -> None:
    """Jobs: list, watch, cancel, retry, result."""


@job.command("list")
@click.option(
    "--status", type=click.Choice(["queued", "processing", "retrying", "completed", "failed", "cancelled"])
)
@click.option("--limit", default=20, show_default=True)
@click.pass_obj
def job_list(client: Client, status: str | None, limit: int) -> None:
    """The newest jobs."""
    for one in client.jobs(status=status, limit=limit):
        click.echo(f"{one.job_id}\t{one.status}\t{one.progress:.0f} %\t{one.site}")


@job.command()
@click.argument("job_id", metavar="JOB")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help=f"The result; {ENDS}")
@click.pass_obj
def watch(client: Client, job_id: str, output: Path | None) -> None:
    """Follow a JOB to its end, with a bar."""
    ended = client.watch(job_id)
    if output is not None:
        client.save_job(ended, output)
    click.echo(f"{ended.job_id}\t{ended.status}")


@job.command()
@click.argument("job_id", metavar="JOB")
@click.pass_obj
def cancel(client: Client, job_id: str) -> None:
    """Stop a JOB; what it has stored stays."""
    click.echo(f"{job_id}\t{client.cancel(job_id).status}")


@job.command()
@click.argument("job_id", metavar="JOB")
@click.pass_obj
def retry(client: Client, job_id: str) -> None:
    """Take up a failed or cancelled JOB where it stopped."""
    click.echo(f"{job_id}\t{client.retry(job_id).status}")


@main.group()
def key() -> None:
    """API keys: make, list, revoke. Takes an admin's key."""


@key.command("list")
@click.pass_obj
def key_list(client: Client) -> None:
    """All keys, without their secrets."""
    for one in client.api_keys():
        state = "revoked" if one["revokedAt"] else ",".join(one["rights"])
        click.echo(f"{one['keyId']}\t{one['owner']}\t{state}\t{','.join(one['sites'])}")


@key.command("make")
@click.argument("owner")
@click.option("--site", "sites", multiple=True, default=("*",), show_default=True)
@click.option("--right", "rights", multiple=True, default=("read",), show_default=True)
@click.option("--tier", default="standard", show_default=True)
@click.pass_obj
def key_make(client: Client, owner: str, sites: tuple[str, ...], rights: tuple[str, ...], tier: str) -> None:
    """Make a key for an OWNER; it is told this once."""
    click.echo(client.make_key(owner, sites=sites, rights=rights, tier=tier)["key"])


@key.command("revoke")
@click.argument("key_id", metavar="ID")
@click.pass_obj
def key_revoke(client: Client, key_id: str) -> None:
    """Revoke a key by its ID."""
    click.echo(f"{key_id}\trevoked {client.revoke_key(key_id)['revokedAt']}")


if __name__ == "__main__":
    sys.exit(main())
