# Made by wfc from 2 files; do not edit.
from workflow.abi.asgi_v1 import flow_app

app = flow_app(__file__)
