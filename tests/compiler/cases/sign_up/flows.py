"""Sign-up of a user: the smallest project with everything."""

import asyncio
import smtplib

from models import User
from workflow import FatalError, sleep, step_options

print("this has no business in a workflow")


@step_options(max_retries=5)
async def create_user(email: str, *, plan: str = "basic") -> User:
    """Create the account."""
    "use step"
    if "@" not in email:
        raise FatalError(f"not an address: {email}")
    return User(id=email.partition("@")[0], email=email, plan=plan)


def send_mail(to: str, *lines: str, **headers: str) -> None:
    "use step"
    with smtplib.SMTP("localhost") as smtp:
        smtp.sendmail("us@example.com", to, "\n".join(lines))


async def user_signup(email: str, wait: float = 2.5) -> dict:
    """Onboard one user."""
    "use workflow"
    user = await create_user(email)
    await asyncio.gather(send_mail(user.email, "Welcome"), send_mail("us@example.com", user.id))
    await sleep(wait)
    return {"user_id": user.id, "status": "done"}
