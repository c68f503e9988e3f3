"""Values to bytes and back: devalue-compatible JSON that keeps Python's types."""

from workflow.codec.codec import Codec

__all__ = ["Codec"]
