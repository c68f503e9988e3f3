

import asyncio



from workflow import sleep





async def create_user(email: str, *, plan: str = "basic") -> User:
    """Create the account."""
    return await _wfc_step("step//flows.py//create_user", {"email": email, "plan": plan})





async def send_mail(to: str, *lines: str, **headers: str) -> None:
    return await _wfc_step("step//flows.py//send_mail", {"to": to, "*lines": lines, "**headers": headers})




async def user_signup(email: str, wait: float = 2.5) -> dict:
    """Onboard one user."""
    "use workflow"
    user = await create_user(email)
    await asyncio.gather(send_mail(user.email, "Welcome"), send_mail("us@example.com", user.id))
    await sleep(wait)
    return {"user_id": user.id, "status": "done"}
from workflow.abi.flow_v1 import step as _wfc_step
