import pkg.sub.deep
import pkg.sub.deep as d
import urllib.parse

try:
    import json as js
except ImportError:
    import json as js
from pkg import again, sub
import logging
log = logging.getLogger(__name__)






# after
async def st(a):
	"""doc"""; return await _wfc_step("step//flows.py//st", {"a": a})




class A: x = 1

@d.deco
async def w(y: "Y", *, n=pkg.sub.deep.N) -> "Y":
	"use workflow"
	from pkg.sub.deep import g

	log.info(urllib.parse.quote("x"))
	await st(1)
	z = js.dumps(d.f(again(A.x)), default=sub.deep.f)
	return [st2 for st2 in ()], z, g
from workflow.abi.flow_v1 import step as _wfc_step
