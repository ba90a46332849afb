"""Training: from tables before ``as_of`` to judged predictors.

Takes the workspace's canonical tables; builds labelled snapshots, searches, fits, blends and calibrates, judges the
result beside baselines on a snapshot that it had not seen, and gives predictors with their metrics. What it learns from
ends by ``as_of``. It never scores the customers of the day, serves, or looks at rows that came later.
"""
