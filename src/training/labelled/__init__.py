"""Tables that come with labels and no history: learnt and judged by repeated folds, or by the newest part of them.

Takes the observations of a workspace; gives predictors whose figures are of rows that none of it has seen: members,
weights and calibration are found anew within each of the parts that are learnt from.
"""
