# Made by wfc from flows.py; do not edit.
from workflow.abi.asgi_v1 import whole_app

app = whole_app(__file__)
