"""Sessions, conversation summaries and links, kept fresh in PostgreSQL by Dagster."""

import warnings

warnings.filterwarnings("ignore", message="Parameter `backfill_policy`")  # beta, and pinned to a minor version
warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")  # as for every service
