"""The settings: environment variables, typed and validated once per process."""

import os
import re
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated, Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from convo_pipelines.errors import ConvoPipelinesError

FIRST_DAY = date(1970, 1, 1)
_ONE_SERVER = re.compile(
    r"(?>([^:/]*(:[^@]*)?@)?)"  # name and password
    r"(\[[^/?]+\]|[^/:?]*)(:\d+)?"  # host and port
    r"([/?].*)?",
    re.DOTALL,
)
"""What follows `postgresql://`, as SQLAlchemy reads it for Dagster: PostgreSQL also knows lists of hosts and ports."""


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
    except psycopg.Error:
        raise ValueError from None
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
    """All settings. Field names are the names of the environment variables in lower case."""

    model_config = ConfigDict(frozen=True)

    convo_database_url: Annotated[str, AfterValidator(_address)] | None = Field(None, description="a postgresql:// URL")
    dagster_pg_url: Annotated[str, AfterValidator(_address)] | None = Field(None, description="a postgresql:// URL")
    read_database_url: Annotated[str, AfterValidator(_address)] | None = Field(None, description="a postgresql:// URL")
    convo_cell: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9_]{0,29}$",
        description="a name of up to 30 lower-case letters, digits and underscores, such as eu1",
    )
    conversation_discovery_cron: str = "*/5 * * * *"
    link_sync_cron: str = "*/5 * * * *"
    reconcile_cron: str = "0 2 * * *"
    health_cron: str = "*/5 * * * *"
    report_cron: str = "0 6 * * 1"
    project_arrays_cron: str = ""
    enable_background_jobs: bool = Field(True, description="true or false")
    partitions_start_date: Annotated[date, AfterValidator(_past)] = Field(
        date(2024, 1, 1), description="a date such as 2024-01-01, not before 1970 and not in the future"
    )
    archive_after_days: int = Field(7, ge=0, le=36_500, description="a whole number of days, 0 to 36500")
    phone_default_region: Annotated[str, AfterValidator(_region)] | None = Field(
        None, description="a country as in ISO 3166 that has phone numbers, such as DE or US"
    )
    crew_timeout_seconds: int = Field(30, ge=1, le=86_400, description="a whole number of seconds, 1 to 86400")
    refresh_timeout_seconds: int = Field(900, ge=1, le=86_400, description="a whole number of seconds, 1 to 86400")
    refresh_workers: int = Field(
        default_factory=lambda: min(4, os.cpu_count() or 1), ge=1, le=64, description="a whole number, 1 to 64"
    )
    create_conversations: bool = Field(True, description="true or false")
    event_retention_days: int = Field(30, ge=1, le=36_500, description="a whole number of days, 1 to 36500")
    preview_personal_data: bool = Field(False, description="true or false")
    alert_urls: Receivers = ""
    report_urls: Receivers = ""
    heartbeat_url: str | None = Field(None, pattern=r"^(?i:https?)://", description="an http:// or https:// URL")
    dagster_ui_url: str | None = Field(None, pattern=r"^(?i:https?)://", description="an http:// or https:// URL")
    webhook_secret: str | None = Field(None, min_length=16, description="a secret of at least 16 characters")
    lake_uri: str | None = Field(
        None, pattern=r"^(file|s3|gs|abfss?)://", description="a file://, s3://, gs:// or abfs:// URL"
    )
    lake_catalog_url: Annotated[str, AfterValidator(_catalog)] | None = Field(
        None, pattern=r"^(postgres(ql)?|https?)://", description="a postgresql:// or https:// URL"
    )
    lake_personal_data: bool = Field(False, description="true or false")
    lake_cron: str = ""
    lake_cluster: str | None = Field(None, pattern=r"^https?://", description="an http:// or https:// URL")
    log_format: Literal["text", "json"] = Field("text", description="text or json")
    git_url: str | None = Field(None, pattern=r"^https://", description="an https:// URL of a repository")
    git_branch: str = "main"

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
        raise SettingsError("; ".join(_explain(str(e["loc"][0]), e["input"]) for e in error.errors())) from None


def _explain(name: str, value: object) -> str:
    shown = "(hidden)" if "_url" in name or "_secret" in name else repr(value)
    return f"{name.upper()}={shown} is not valid: it must be {Settings.model_fields[name].description}"
