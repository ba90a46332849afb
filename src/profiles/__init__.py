"""Profiles: what a score means for the business, and what to do about it.

Takes the scores, the rows that were scored and the champion's bundle; gives each customer a tier, a lifecycle stage and
a next action by the rules of the config, and reasons to those whom somebody will look at. Never changes a score, never
learns anything from the data, and a rule whose input was not predicted fits nobody and says so.
"""
