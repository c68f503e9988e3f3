

import math
import json









LIMIT = math.floor(10.5)






class Classifier:
    def __init__(self, threshold: float) -> None:
        self.threshold = threshold

    def __workflow_serialize__(self) -> float:
        return self.threshold

    @classmethod
    def __workflow_deserialize__(cls, data: float) -> "Classifier":
        return cls(data)

    async def classify(self, image: bytes, frame: str = ...) -> list[float]:
        return await _wfc_step("step//flows.py//Classifier#classify", {"self": self, "image": image, **({} if frame is ... else {"frame": frame})})







async def pipeline(images: list[bytes]) -> str:
    "use workflow"
    classifier = Classifier(0.5)
    found = []
    for image in images[:LIMIT]:

        async def keep(scores: list[float]) -> int:
            return await _wfc_step("step//flows.py//pipeline/keep", {"scores": scores}, {"image": image})





        found.append(await keep(await classifier.classify(image)))
    return json.dumps(found)
from workflow.abi.flow_v1 import step as _wfc_step
