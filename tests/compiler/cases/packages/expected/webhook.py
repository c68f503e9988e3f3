# Made by wfc from 3 files; do not edit.
from workflow.abi.asgi_v1 import webhook_app

app = webhook_app(__file__)
