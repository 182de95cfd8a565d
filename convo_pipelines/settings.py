"""The settings: environment variables, typed and validated once per process."""

import os
import re
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated, Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from convo_pipelines.errors import ConvoPipelinesError

FIRST_DAY = date(1970, 1, 1)
_ONE_SERVER = re.compile(
    r"(?>([^:/]*(:[^@]*)?@)?)"  # name and password
    r"(\[[^/?]+\]|[^/:?]*)(:\d+)?"  # host and port
    r"([/?].*)?",
    re.DOTALL,
)
"""What follows `postgresql://`, as SQLAlchemy reads it for Dagster: PostgreSQL also knows lists of hosts and ports."""


_UNKNOWN_PARAMETER = re.compile(r"^invalid URI query parameter: \"(\w+)\"")
"""Such as `pgbouncer` or `schema`, which are those of other programs."""


class SettingsError(ConvoPipelinesError, ValueError):
    """An environment variable has an invalid value; the message names it and what is allowed."""


def _region(value: str) -> str:
    from phonenumbers import SUPPORTED_REGIONS  # takes long to import, and is needed only here

    if value.upper() not in SUPPORTED_REGIONS:
        raise ValueError
    return value.upper()


def _address(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in ("postgres", "postgresql") or not _ONE_SERVER.fullmatch(rest):
        raise ValueError
    try:
        conninfo_to_dict(value)
    except psycopg.Error as error:
        unknown = _UNKNOWN_PARAMETER.search(str(error))
        raise ValueError(unknown and f"PostgreSQL knows no parameter {unknown[1]}: remove it") from None
    return f"postgresql://{rest}"


Receivers = Annotated[
    str, Field(pattern=r"^\S+://\S*(\s+\S+://\S*)*$", description="Apprise URLs, separated by spaces")
]


def _past(value: date) -> date:
    if not FIRST_DAY <= value <= datetime.now(UTC).date():
        raise ValueError
    return value


def _catalog(url: str) -> str:
    return url if url.startswith("http") else _address(url)


class Settings(BaseModel):
    """All settings. Field names are the names of the environment variables in lower case.

    A description says what is allowed, the text beneath a field what it means; `docs/reference/settings.md` shows both.
    """

    model_config = ConfigDict(frozen=True)

    convo_database_url: Annotated[str, AfterValidator(_address)] | None = Field(None, description="a postgresql:// URL")
    """The database with `app` and `analytics`; by default the embedded PostgreSQL under `.local/`."""
    dagster_pg_url: Annotated[str, AfterValidator(_address)] | None = Field(None, description="a postgresql:// URL")
    """Dagster's own storage; by default a database `dagster` on the same server."""
    read_database_url: Annotated[str, AfterValidator(_address)] | None = Field(None, description="a postgresql:// URL")
    """What `read`, the report and analysts' checks read, such as a standby; by default `CONVO_DATABASE_URL`."""
    convo_cell: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9_]{0,29}$",
        description="a name of up to 30 lower-case letters, digits and underscores, such as eu1",
    )
    """The name of this cell: prefix of its assets, name in its runs, logs, metrics and alerts."""
    convo_tables: str = Field("", description="folders, separated by colons")
    """Folders with tables of your own: each table is a folder with `rows.sql`."""
    conversation_discovery_cron: str = "*/5 * * * *"
    """When to refresh sessions, conversations and summaries, UTC."""
    link_sync_cron: str = "*/5 * * * *"
    """When to refresh participants and links, UTC."""
    reconcile_cron: str = "0 2 * * *"
    """When to compare everything with its sources, UTC."""
    health_cron: str = "*/5 * * * *"
    """When to check the health of the pipeline, UTC."""
    report_cron: str = "0 6 * * 1"
    """When to write and send the activity report, UTC; it needs the extra `report`."""
    project_arrays_cron: str = ""
    """When to rewrite the deprecated arrays of projects, UTC; if not set, there is no such schedule."""
    enable_background_jobs: bool = Field(True, description="true or false")
    """`false`: schedules and sensors are off until switched on in the UI."""
    partitions_start_date: Annotated[date, AfterValidator(_past)] = Field(
        date(2024, 1, 1), description="a date such as 2024-01-01, not before 1970 and not in the future"
    )
    """The first day that can be backfilled."""
    archive_after_days: int = Field(7, ge=0, le=36_500, description="a whole number of days, 0 to 36500")
    """Session-days older than this are kept when their messages are deleted."""
    phone_default_region: Annotated[str, AfterValidator(_region)] | None = Field(
        None, description="a country as in ISO 3166 that has phone numbers, such as DE or US"
    )
    """Country of phone numbers written without a country code; if not set, they are invalid."""
    merge_plus_addresses: bool = Field(False, description="true or false")
    """Whether `ana+shop@example.com` is `ana@example.com`."""
    merge_gmail_dots: bool = Field(False, description="true or false")
    """Whether dots before `@gmail.com` do not matter, and `googlemail.com` is the same."""
    crew_timeout_seconds: int = Field(30, ge=1, le=86_400, description="a whole number of seconds, 1 to 86400")
    """Time limit of one crew in one tick."""
    refresh_timeout_seconds: int = Field(900, ge=1, le=86_400, description="a whole number of seconds, 1 to 86400")
    """Time limit of one statement of any other refresh."""
    refresh_workers: int = Field(
        default_factory=lambda: min(4, os.cpu_count() or 1), ge=1, le=64, description="a whole number, 1 to 64"
    )
    """How many connections a first build, a reconcile, a backfill or a tick of most keys uses at the same time."""
    create_conversations: bool = Field(True, description="true or false")
    """`false`: never insert into `app.conversations`; sessions without a conversation are counted as odd rows."""
    event_retention_days: int = Field(30, ge=1, le=36_500, description="a whole number of days, 1 to 36500")
    """How long Dagster keeps its runs and events."""
    preview_personal_data: bool = Field(False, description="true or false")
    """Whether Dagster may show, and keep, session ids, addresses and subjects."""
    alert_urls: Receivers = ""
    """Receivers of alerts."""
    report_urls: Receivers = ""
    """Receivers of the report."""
    heartbeat_url: str | None = Field(None, pattern=r"^(?i:https?)://", description="an http:// or https:// URL")
    """Fetched after each health check that finds no problem; if requests stop, Dagster itself is down."""
    dagster_ui_url: str | None = Field(None, pattern=r"^(?i:https?)://", description="an http:// or https:// URL")
    """Address of the UI, for the links in alerts."""
    webhook_secret: str | None = Field(None, min_length=16, description="a secret of at least 16 characters")
    """Key of the signatures that `convo-pipelines serve webhook` requires."""
    lake_uri: str | None = Field(
        None, pattern=r"^(file|s3|gs|abfss?)://", description="a file://, s3://, gs:// or abfs:// URL"
    )
    """Where the files of the lake are; by default `.local/lake` below `DAGSTER_HOME`."""
    lake_catalog_url: Annotated[str, AfterValidator(_catalog)] | None = Field(
        None, pattern=r"^(postgres(ql)?|https?)://", description="a postgresql:// or https:// URL"
    )
    """The catalog: a PostgreSQL database (its schema `lake`), or a REST catalog; by default `CONVO_DATABASE_URL`."""
    lake_personal_data: bool = Field(False, description="true or false")
    """Whether columns that may hold personal data, such as `session_id`, go into the lake, too."""
    lake_cron: str = ""
    """When changed days are written into the lake, UTC; if not set, there is no such schedule."""
    lake_cluster: str | None = Field(None, pattern=r"^https?://", description="an http:// or https:// URL")
    """The address of a Ray cluster's dashboard, `http://…:8265`: the job `lake_query` runs there."""
    log_format: Literal["text", "json"] = Field("text", description="text or json")
    """`json`: one object per line."""
    git_url: str | None = Field(None, pattern=r"^https://", description="an https:// URL of a repository")
    """The repository; assets then link to their SQL in it."""
    git_branch: str = Field("main", description="a branch")
    """The branch of the repository."""

    @property
    def has_lake(self) -> bool:
        """Whether tables go into the lake: somebody has said where to, or when."""
        return bool(self.lake_uri or self.lake_cron)


@cache
def settings() -> Settings:
    """Read the environment, once per process.

    Raises:
        SettingsError: a variable is invalid. Cron expressions are validated by the schedules.

    """
    given = {name: os.environ.get(name.upper(), "").strip() for name in Settings.model_fields}
    try:
        return Settings.model_validate({name: value for name, value in given.items() if value})
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(str(e["loc"][0]), e) for e in error.errors())) from None


def _explain(name: str, error: ErrorDetails) -> str:
    shown = "(hidden)" if "_url" in name or "_secret" in name else repr(error["input"])
    [why] = getattr(error.get("ctx", {}).get("error"), "args", ()) or [None]
    return f"{name.upper()}={shown} is not valid: {why or f'it must be {Settings.model_fields[name].description}'}"
