"""XGBoost as it comes. Runs in its own environment: python fit_xgboost.py FOLDER BUDGET."""

import xgboost
from learning import learn


def predict(rows, target, scored):
    if target.name == "spend":
        return xgboost.XGBRegressor(random_state=7).fit(rows, target).predict(scored)
    return xgboost.XGBClassifier(random_state=7).fit(rows, target).predict_proba(scored)[:, 1]


learn("xgboost", predict, f"xgboost {xgboost.__version__}")
