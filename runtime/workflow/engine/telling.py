"""Printing and logging what a body has said, once the turn is recorded."""

from __future__ import annotations

import logging

from workflow.replay.uttered import Utterance

__all__ = ["tell"]


def tell(said: Utterance) -> None:
    """Print it, or hand it to the handlers of the application."""
    if said.logger == "print":
        print(said.message, flush=True)
        return
    logger = logging.getLogger(said.logger)
    try:
        logger.log(said.level, "%s", said.message, extra=said.extra or None)
    except KeyError:  # the application's records have attributes of that name
        logger.log(said.level, "%s", said.message)
