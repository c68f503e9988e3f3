# Made by wfc from flows.py; do not edit.
import numpy as np
import torch

class Classifier:
    def __init__(self, threshold: float) -> None:
        ...

    def __workflow_serialize__(self) -> float:
        ...

    @classmethod
    def __workflow_deserialize__(cls, data: float) -> "Classifier":
        ...

    def classify(self, image: bytes, frame: str = ...) -> list[float]:
        ...

    def _scores(self, image: bytes) -> list[float]:
        """Only a step calls it, so workflow code does not have it."""
        ...

async def pipeline(images: list[bytes]) -> str:
    ...
