"""Directives as people and formatters write them."""


async def first(email: str) -> str:
    "use step"
    return email


async def after(email: str) -> str:
    """Second, after a docstring."""
    'use step'
    return email


async def blanks(email: str) -> str:
    "use   step"
    return email


async def formatted(email: str) -> str:
    """Use step."""
    return email


async def one_line(email: str) -> str: "use step"; return email


async def sign_up(email: str) -> str:
    """Onboard one user.

    In several lines.
    """

    # Said here.
    """Use workflow"""
    for step in (first, after, blanks, formatted, one_line):
        email = await step(email)
    return email
