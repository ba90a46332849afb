"""A release at work: scores in batch, and a service that answers about one customer.

Takes a release (a folder of models with a manifest), feature rows or a customer's raw records, and profiles. Gives
scores, their reasons and stored profiles, each with the release that made them. Never trains, never changes a model,
and never computes a feature by other code than the batch does.
"""
