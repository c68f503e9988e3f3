# Made by wfc from flows.py; do not edit.
from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageOps
from workflow.abi import client_v1 as _wfc

MODEL = torch.load("model.pt")


def _features(image: bytes) -> np.ndarray:
    return np.array(ImageOps.grayscale(Image.open(image)))


class Classifier:
    def __init__(self, threshold: float) -> None:
        self.threshold = threshold

    def __workflow_serialize__(self) -> float:
        return self.threshold

    @classmethod
    def __workflow_deserialize__(cls, data: float) -> "Classifier":
        return cls(data)

    @_wfc.step("step//flows.py//Classifier#classify")
    def classify(self, image: bytes, frame: str = ...) -> list[float]:
        ...

    def _scores(self, image: bytes) -> list[float]:
        """Only a step calls it, so workflow code does not have it."""
        return MODEL(_features(image))


@_wfc.workflow("workflow//flows.py//pipeline")
async def pipeline(images: list[bytes]) -> str:
    ...


_wfc.register_class("class//flows.py//Classifier", __name__, "Classifier")
