"""scikit-learn's HistGradientBoosting as it comes. Runs in its own environment: python fit_histgb.py FOLDER BUDGET."""

import sklearn
from learning import learn
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor


def predict(rows, target, scored):
    if target.name == "spend":
        return HistGradientBoostingRegressor(random_state=7).fit(rows, target).predict(scored)
    return HistGradientBoostingClassifier(random_state=7).fit(rows, target).predict_proba(scored)[:, 1]


learn("histgb", predict, f"scikit-learn {sklearn.__version__}")
