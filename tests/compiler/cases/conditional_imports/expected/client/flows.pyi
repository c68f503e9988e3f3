# Made by wfc from flows.py; do not edit.
import pandas
from models import Order

async def order(order: Order) -> pandas.Timestamp:
    ...
