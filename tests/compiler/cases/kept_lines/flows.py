# A licence, and other things that stand first.

"""Shapes of code in which lines could slip."""

import asyncio, json; import subprocess
from workflow import (
    create_hook,  # used
    fetch,
    sleep,
)

LIMIT = 3; IGNORED = subprocess
TABLE = {
    "a": 1,

    "b": 2,
}


async def one_line(x: int) -> int: "use step"; return x


async def only_a_docstring(x: int) -> None:
    """Does nothing.

    use of this: none."""
    "use step"


@property
@staticmethod
def unrelated(): ...


# A comment that belongs to the workflow.
async def main(x: int) -> int:
    '''Use
    all of them.'''

    "use workflow"  # with a comment

    for _ in range(LIMIT):
        x = await one_line(x)  # tab	inside
    await only_a_docstring(x)

    async def inner(y: int) -> int:
        json = y
        return json

    text = f"""
{x}
  # not a comment
"""
    await asyncio.gather(inner(len(text)), inner(TABLE["a"]))
    await create_hook(token="t")
    return x
    # the end


if __name__ == "__main__":
    print(subprocess.run(["ls"]))
# and a last word, without a newline