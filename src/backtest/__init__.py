"""Backtests: the models as they would have been on earlier days, judged by what came after each.

Takes a workspace with tables and identities, gives ``backtest.json``, ``backtest.html`` and runs in MLflow. Every
origin is learnt by the code that training learns by, from nothing but what was known on it; only the judging sees what
came. It changes no release, no score and no file of another stage.
"""
