"""Sign-up as a durable workflow.

`user_signup` decides what happens and in which order. After a crash it is replayed from its log, so
it may only decide. The steps do the work: each result is recorded once, and a step whose result is
recorded never runs again. Compare with `generated/workflows/examples/signup/flows.py`, which is
what `wfc build` makes of this file.
"""

import asyncio
import uuid

from examples.signup import outside
from examples.signup.models import Approval, User
from workflow import (
    Response,
    create_hook,
    create_webhook,
    get_step_metadata,
    get_writable,
    sleep,
    step_options,
)


async def create_user(email: str) -> User:
    """Create the account. The id follows from the address, so a second try changes nothing."""
    "use step"
    outside.note("create_user")
    user = User(id=uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{email}").hex[:12], email=email)
    await tell(f"account {user.id} created")
    return user


@step_options(max_retries=5, backoff="250ms")
async def send_welcome(user: User) -> None:
    """Send the first mail, through a mail server that turns strangers away twice."""
    "use step"
    outside.note("send_welcome")
    if get_step_metadata().attempt < 3:
        raise ConnectionError("the mail server is busy, try again later")
    outside.deliver(user.email, f"Welcome! Your account is {user.id}.")
    await tell("welcome mail sent")


async def choose_plan(user: User) -> str:
    """Pick the plan a new account starts with."""
    "use step"
    outside.note("choose_plan")
    await tell("plan chosen")
    return "trial"


async def reserve_storage(user: User) -> int:
    """Set storage aside for the account and return its size in megabytes."""
    "use step"
    outside.note("reserve_storage")
    await tell("storage reserved")
    return 512


async def ask_to_confirm(user: User, link: str) -> None:
    """Mail the link that the user has to call."""
    "use step"
    outside.note("ask_to_confirm")
    outside.deliver(user.email, f"Please confirm: {link}")
    await tell(f"confirm at {link}")


async def user_signup(email: str) -> dict[str, str | int]:
    """Onboard one user: account, welcome, plan and storage, approval, confirmation."""
    "use workflow"
    user = await create_user(email)
    await send_welcome(user)
    plan, megabytes = await asyncio.gather(choose_plan(user), reserve_storage(user))
    await sleep("1s")

    # Somebody of the staff answers through our own API; see `approve` in app.py.
    approval = await create_hook(Approval, token=f"approve:{email}")
    if not approval.approved:
        return {"user_id": user.id, "status": "refused", "decided_by": approval.by}

    # The user answers by calling a URL, and waits for what the workflow says to it.
    confirmation = create_webhook(respond_with="manual")
    await ask_to_confirm(user, confirmation.url)
    request = await confirmation
    answer = await request.json()
    await request.respond_with(Response.json({"welcome": answer["name"], "plan": plan}))

    return {
        "user_id": user.id,
        "status": "done",
        "name": answer["name"],
        "plan": plan,
        "megabytes": megabytes,
        "decided_by": approval.by,
    }


async def tell(message: str) -> None:
    """Add a line to the run's stream; `GET /runs/{id}/stream` shows it as it is written."""
    await get_writable(str).write(message)
