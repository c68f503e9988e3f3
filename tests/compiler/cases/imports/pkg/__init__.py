from .sub.deep import f as again
from .sub import *
