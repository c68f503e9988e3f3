# Made by wfc from 2 files; do not edit.
from workflow.abi.asgi_v1 import webhook_app

app = webhook_app(__file__)
