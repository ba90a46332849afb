"""Predictors: what a trained model is once it leaves training.

Takes tables of features, a row per customer; gives probabilities, expected values with intervals, and exact additive
contributions to each. A predictor blends members (boosted trees, linear models, buy-till-you-die formulas) on the logit
or log scale. The same row gives the same score to the bit, alone or among others. It is kept as JSON and XGBoost's own
files, and never fits, tunes or judges itself.
"""
