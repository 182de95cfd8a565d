"""Speed, as ratios to plain SQL and to a materialized view measured in the same run."""
