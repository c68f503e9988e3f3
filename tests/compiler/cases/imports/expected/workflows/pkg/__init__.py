from .sub.deep import f as again

