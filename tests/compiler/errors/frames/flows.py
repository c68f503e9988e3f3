import os

from prices import lookup


async def mail(to: str) -> None:
	"use step"


async def main(name: str) -> str:
	"""日本語 and 👩‍👩‍👧."""
	"use workflow"
	mail(
		name,
	)
	text = "日本	‮[31m" + os.environ["名前"] + "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" + os.environ["é"]

	return text + lookup(name)
