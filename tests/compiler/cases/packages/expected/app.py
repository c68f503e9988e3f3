# Made by wfc from 3 files; do not edit.
from workflow.abi.asgi_v1 import whole_app

app = whole_app(__file__)
