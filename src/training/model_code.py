"""A task's model for MLflow, as code: this file and the native files beside it are all that is stored.

MLflow copies the file into the model's folder and runs it where somebody loads the model with
``mlflow.pyfunc.load_model``; custid must be installed there. custid itself never loads a model this way: it reads the
native files alone. The file is run outside of the package, hence the import by name.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class TaskModel(PythonModel):
    """Features in, named as in the model's signature; a column per output of the task out."""

    def load_context(self, context: Any) -> None:
        """Read the native files."""
        self.predictor = import_module("custid.models.bundle").load(Path(context.artifacts["model"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Probabilities, values or names, a row for each row of the features."""
        del context, params
        features = pa.Table.from_pandas(model_input, preserve_index=False)
        return pd.DataFrame(self.predictor.predict(features), index=model_input.index)


set_model(TaskModel())
