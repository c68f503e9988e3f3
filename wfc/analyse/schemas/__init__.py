"""JSON Schema (2020-12) of what goes into and comes out of workflows and steps.

Read from annotations and class definitions alone; nothing is imported. The schemas describe the
JSON form of a value: what a caller sends as JSON and pydantic validates. What cannot be told from
the text is an empty schema with the user's text under `x-python`.
"""

from wfc.analyse.schemas.functions import Schemas

__all__ = ["Schemas"]
