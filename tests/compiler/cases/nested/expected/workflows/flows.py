import statistics as numbers








def make_greeter(greeting: str, *, mark: str = "!"):
    """A factory: each step it makes has its own greeting."""
    times = len(greeting)

    async def greet(name: str, punctuation: str = mark * times) -> str:
        """Greet."""
        return await _wfc_step("step//flows.py//make_greeter/greet", {"name": name, "punctuation": punctuation}, {"greeting": greeting})








    greet.max_retries = 0
    return greet


class Report:
    def __init__(self, title: str) -> None:
        self.title = title

    def __workflow_serialize__(self) -> str:
        return self.title

    @classmethod
    def __workflow_deserialize__(cls, title: str) -> "Report":
        return cls(title)

    async def send(self, to: list[str]) -> None:
        for address in to:

            async def mail(subject: str) -> None:
                return await _wfc_step("step//flows.py//Report#send/mail", {"subject": subject}, {"address": address, "self": self})


            await mail("report")


async def onboard(names: list[str]) -> float:
    "use workflow"
    hello = make_greeter("hello")
    lengths = []
    for position, name in enumerate(names):

        async def measure(text: str, depth: int = position) -> int:
            return await _wfc_step("step//flows.py//onboard/measure", {"text": text, "depth": depth}, {"position": position})




        lengths.append(await measure(await hello(name)))


        async def notify() -> None:
            return await _wfc_step("step//flows.py//onboard/notify", {}, {"lengths": lengths, "measure": measure, "name": name})


        await notify()
    await Report("lengths").send(names)
    return numbers.mean(lengths)
from workflow.abi.flow_v1 import step as _wfc_step
