"""Every variable of the environment: what it takes, and what it says when it is wrong."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from convo_pipelines.settings import Settings, SettingsError

CRONS = [name for name in Settings.model_fields if name.endswith("_cron")]
SECRET = "s3cret"


ADDRESS = "a postgresql:// URL"


WEB = "an http:// or https:// URL"


YES_OR_NO = "true or false"


SECONDS = "a whole number of seconds, 1 to 86400"


VARIABLES = [
    ("CONVO_DATABASE_URL", f"mysql://root:{SECRET}@localhost", ADDRESS),
    ("CONVO_DATABASE_URL", SECRET, ADDRESS),
    ("READ_DATABASE_URL", SECRET, ADDRESS),
    ("CONVO_DATABASE_URL", f"postgresql://root:{SECRET}@localhost:abc/x", ADDRESS),
    ("CONVO_DATABASE_URL", f"postgresql://root:{SECRET}@localhost/x?nonsense=1", "no parameter nonsense: remove it"),
    ("DAGSTER_PG_URL", f"postgresql://root:{SECRET}@[::1/x", ADDRESS),
    ("DAGSTER_PG_URL", f"postgresql://root:{SECRET}@local host:x:y/x", ADDRESS),
    ("DAGSTER_PG_URL", f"sqlite:///{SECRET}", ADDRESS),
    ("ENABLE_BACKGROUND_JOBS", "maybe", YES_OR_NO),
    ("PREVIEW_PERSONAL_DATA", "some", YES_OR_NO),
    ("PARTITIONS_START_DATE", "yesterday", "a date such as 2024-01-01, not before 1970 and not in the future"),
    ("PARTITIONS_START_DATE", "2999-01-01", "a date such as 2024-01-01, not before 1970 and not in the future"),
    ("PARTITIONS_START_DATE", "0001-01-01", "a date such as 2024-01-01, not before 1970 and not in the future"),
    ("PARTITIONS_START_DATE", "2026-02-30", "a date such as 2024-01-01"),
    ("ARCHIVE_AFTER_DAYS", "-1", "a whole number of days, 0 to 36500"),
    ("ARCHIVE_AFTER_DAYS", "9999999999", "a whole number of days, 0 to 36500"),
    ("REFRESH_WORKERS", "0", "a whole number, 1 to 64"),
    ("REFRESH_WORKERS", "all", "a whole number, 1 to 64"),
    ("CONVO_CELL", "EU-1", "a name of up to 30 lower-case letters, digits and underscores"),
    ("LAKE_URI", "/lake", "a file://, s3://, gs:// or abfs:// URL"),
    ("LAKE_CATALOG_URL", SECRET, "a postgresql:// or https:// URL"),
    ("LAKE_PERSONAL_DATA", "some", YES_OR_NO),
    ("LAKE_CLUSTER", "head:8265", "an http:// or https:// URL"),
    ("CREATE_CONVERSATIONS", "some", "true or false"),
    ("EVENT_RETENTION_DAYS", "0", "a whole number of days, 1 to 36500"),
    ("EVENT_RETENTION_DAYS", "1.5", "a whole number of days, 1 to 36500"),
    ("CREW_TIMEOUT_SECONDS", "soon", SECONDS),
    ("CREW_TIMEOUT_SECONDS", "0", SECONDS),
    ("REFRESH_TIMEOUT_SECONDS", "15m", SECONDS),
    ("REFRESH_TIMEOUT_SECONDS", "9999999999", SECONDS),
    ("PHONE_DEFAULT_REGION", "Germany", "a country as in ISO 3166"),
    ("PHONE_DEFAULT_REGION", "001", "a country as in ISO 3166"),
    ("CONVO_DATABASE_URL", f"postgresql://{SECRET}@h/d?pgbouncer=true", "knows no parameter pgbouncer: remove it"),
    ("READ_DATABASE_URL", f"postgresql://{SECRET}@h/d?schema=public", "knows no parameter schema: remove it"),
    ("MERGE_PLUS_ADDRESSES", "some", YES_OR_NO),
    ("MERGE_GMAIL_DOTS", "some", YES_OR_NO),
    ("ALERT_URLS", f"mail {SECRET}", "Apprise URLs, separated by spaces"),
    ("REPORT_URLS", f"mailto://ana@mail.example {SECRET}", "Apprise URLs, separated by spaces"),
    ("HEARTBEAT_URL", f"ftp://{SECRET}", WEB),
    ("DAGSTER_UI_URL", "localhost:3000", WEB),
    ("WEBHOOK_SECRET", SECRET, "a secret of at least 16 characters"),
    ("LOG_FORMAT", "xml", "text or json"),
    ("GIT_URL", f"git@github.com:{SECRET}", "an https:// URL of a repository"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), VARIABLES)
def test_variables(environment: Callable[..., Settings], name: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingsError) as caught:
        environment(**{name: value})
    assert f"{name}=" in str(caught.value)
    assert allowed in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("CONVO_DATABASE_URL", "postgres://ana@db/x?sslmode=require", "postgresql://ana@db/x?sslmode=require"),
        ("ALERT_URLS", " mailto://ana:x@mail.example\n syslog:// ", "mailto://ana:x@mail.example\n syslog://"),
        ("ALERT_URLS", " ", ""),
        ("HEARTBEAT_URL", " ", None),
        ("HEARTBEAT_URL", "HTTPS://hc.example/x", "HTTPS://hc.example/x"),
        ("PARTITIONS_START_DATE", f"{datetime.now(UTC):%Y-%m-%d}", datetime.now(UTC).date()),
    ],
)
def test_variables_that_are_right(environment: Callable[..., Settings], name: str, value: str, taken: object) -> None:
    assert getattr(environment(**{name: value}), name.lower()) == taken


def test_every_variable_has_its_wrong_values() -> None:
    without = {"convo_tables", "git_branch"}
    assert {name.lower() for name, _, _ in VARIABLES} | {*CRONS, *without} == set(Settings.model_fields)
