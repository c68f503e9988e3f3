"""Everything heavy is for steps: the bundle has none of it."""

import math
import os.path, json

import numpy as np
import pandas as pd
import torch, sklearn.svm
from PIL import Image, ImageOps
from settings import DATABASE, engine

MODEL = torch.load("model.pt")
session = engine.connect(DATABASE)
LIMIT = math.floor(10.5)


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

    def classify(self, image: bytes, frame: str = os.path.join("a", "b")) -> list[float]:
        "use step"
        return [s for s in pd.Series(self._scores(image)) if s > self.threshold]

    def _scores(self, image: bytes) -> list[float]:
        """Only a step calls it, so workflow code does not have it."""
        return MODEL(_features(image))


async def pipeline(images: list[bytes]) -> str:
    "use workflow"
    classifier = Classifier(0.5)
    found = []
    for image in images[:LIMIT]:

        def keep(scores: list[float]) -> int:
            "use step"
            import tempfile

            tempfile.mkdtemp()
            return session.insert(image, sklearn.svm.SVC().fit(scores))

        found.append(await keep(await classifier.classify(image)))
    return json.dumps(found)
