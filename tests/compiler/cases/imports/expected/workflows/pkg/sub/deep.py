
import pkg.sub.deep as me

N = 3
def deco(f): return f
def f(x): return me.N + x
def g(): global N; N += 1; return f(N)
