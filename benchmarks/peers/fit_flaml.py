"""FLAML, BUDGET seconds a target. Runs in its own environment: python fit_flaml.py FOLDER BUDGET."""

import flaml
from flaml import AutoML
from learning import BUDGET, learn


def predict(rows, target, scored):
    model = AutoML()
    task = "regression" if target.name == "spend" else "classification"
    metric = "rmse" if task == "regression" else "log_loss"
    learners = ["lgbm", "xgboost", "xgb_limitdepth", "rf", "extra_tree"]
    model.fit(
        X_train=rows, y_train=target, task=task, metric=metric, time_budget=BUDGET, estimator_list=learners, seed=7,
        n_jobs=2, verbose=0,
    )  # fmt: skip
    return model.predict(scored) if task == "regression" else model.predict_proba(scored)[:, 1]


learn("flaml", predict, f"FLAML {flaml.__version__}")
