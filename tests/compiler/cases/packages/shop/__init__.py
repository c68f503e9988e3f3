from .billing import charge, refund as give_back
from .stock import charge as reserve
