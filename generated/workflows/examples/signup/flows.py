







import asyncio



from examples.signup.models import Approval
from workflow import Response, create_hook, create_webhook, sleep










async def create_user(email: str) -> User:
    """Create the account. The id follows from the address, so a second try changes nothing."""
    return await _wfc_step("step//examples/signup/flows.py//create_user", {"email": email})







async def send_welcome(user: User) -> None:
    """Send the first mail, through a mail server that turns strangers away twice."""
    return await _wfc_step("step//examples/signup/flows.py//send_welcome", {"user": user})







async def choose_plan(user: User) -> str:
    """Pick the plan a new account starts with."""
    return await _wfc_step("step//examples/signup/flows.py//choose_plan", {"user": user})





async def reserve_storage(user: User) -> int:
    """Set storage aside for the account and return its size in megabytes."""
    return await _wfc_step("step//examples/signup/flows.py//reserve_storage", {"user": user})





async def ask_to_confirm(user: User, link: str) -> None:
    """Mail the link that the user has to call."""
    return await _wfc_step("step//examples/signup/flows.py//ask_to_confirm", {"user": user, "link": link})





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





from workflow.abi.flow_v1 import step as _wfc_step
