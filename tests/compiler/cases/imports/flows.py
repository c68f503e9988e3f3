import pkg.sub.deep
import pkg.sub.deep as d
import urllib.parse
import urllib.request
try:
    import json as js
except ImportError:
    import json as js
from pkg import again, sub
import logging, functools, typing as t
log = logging.getLogger(__name__)
if t.TYPE_CHECKING:
    from x import Y
@functools.partial(print)
# between
@urllib.request.traced

# after
async def st(a):
	"""doc"""; "use step"; x = 1
	return """
  x
"""

class A: x = 1
async def st2(): "use step"
@d.deco
async def w(y: "Y", *, n=pkg.sub.deep.N) -> "Y":
	"use workflow"
	from pkg.sub.deep import g

	log.info(urllib.parse.quote("x"))
	await st(1)
	z = js.dumps(d.f(again(A.x)), default=sub.deep.f)
	return [st2 for st2 in ()], z, g
