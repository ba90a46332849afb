"""A task's model as an MLflow model: native files, the code that reads them, and a signature with named columns."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..registry.client import quieted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pyarrow as pa


def inputs_of(features: pa.Table, columns: tuple[str, ...]) -> dict[str, str]:
    """The types that a signature names for the columns that a model reads."""
    return {name: _type(features.schema.field(name).type) for name in columns}


def outputs_of(predicted: Mapping[str, np.ndarray]) -> dict[str, str]:
    """The types that a signature names for what a model gives."""
    return {name: "double" if values.dtype.kind == "f" else "string" for name, values in predicted.items()}


def save(folder: Path, parts: Mapping[str, Path], inputs: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Write the MLflow model of folders of native files.

    Nothing in it is pickled: the model is stored as code beside the native files. A feature may be missing in a row
    (null), which the signature calls optional; a column that is missing altogether is refused by the model itself.

    Parameters
    ----------
    folder
        Where to; it must not be there yet.
    parts
        Folders of native files by their own names; the one called ``model`` is what predicts.
    inputs, outputs
        Names and types, for the signature.
    """
    with quieted():
        from mlflow.models import ModelSignature
        from mlflow.pyfunc import save_model
        from mlflow.types import ColSpec, Schema

        signature = ModelSignature(
            inputs=Schema([ColSpec(kind, name, required=False) for name, kind in inputs.items()]),
            outputs=Schema([ColSpec(kind, name) for name, kind in outputs.items()]),
        )
        save_model(
            str(folder),
            python_model=str(Path(__file__).with_name("model_code.py")),
            artifacts={name: str(path) for name, path in parts.items()},
            signature=signature,
            pip_requirements=[f"{name}=={version(name)}" for name in ("custid", "mlflow")],
        )


def _type(kind: Any) -> str:
    import pyarrow as pa

    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "long"
    return "double" if pa.types.is_floating(kind) else "string"
