# Made by wfc from flows.py; do not edit.
from workflow.abi.asgi_v1 import flow_app

app = flow_app(__file__)
