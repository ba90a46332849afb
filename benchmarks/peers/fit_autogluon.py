"""AutoGluon, BUDGET seconds a target. Runs in its own environment: python fit_autogluon.py FOLDER BUDGET.

Without its neural networks, which need gigabytes; and without the models that call for them.
"""

import autogluon.tabular
from autogluon.tabular import TabularPredictor
from learning import BUDGET, FOLDER, learn


def predict(rows, target, scored):
    money = target.name == "spend"
    kind, metric = ("regression", "root_mean_squared_error") if money else ("binary", "log_loss")
    model = TabularPredictor(
        target.name, problem_type=kind, eval_metric=metric, path=str(FOLDER / f"autogluon_{target.name}"), verbosity=0
    )
    without = ["NN_TORCH", "FASTAI"]
    model.fit(rows.assign(**{target.name: target}), time_limit=BUDGET, num_cpus=2, excluded_model_types=without)
    return model.predict(scored) if money else model.predict_proba(scored)[1.0]


learn("autogluon", predict, f"AutoGluon {autogluon.tabular.__version__}")
