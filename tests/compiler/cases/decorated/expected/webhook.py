# Made by wfc from flows.py; do not edit.
from workflow.abi.asgi_v1 import webhook_app

app = webhook_app(__file__)
