"""What steps and workflows hand to each other."""

import os
from dataclasses import dataclass

DATABASE = os.environ.get("DATABASE", "users.db")


@dataclass
class User:
    id: str
    email: str
    plan: str
