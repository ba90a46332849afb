"""Features: what is known of one customer before a midnight, as one row of numbers and names.

Takes the canonical tables with customer ids joined in, and a snapshot; gives one row per customer who had bought, or
had an open subscription, before it. Every feature is a function of that customer's own rows before the snapshot,
written once as an Ibis expression for every engine, for training, batch scoring and the endpoint alike. One family per
file, found by itself. The package never looks at or after the snapshot, never fits anything on many customers (what
does is a model), never makes labels.
"""
