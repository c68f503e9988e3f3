




async def download(url: str) -> bytes:
    """Fetch a page."""
    return await _wfc_step("step//steps.py//download", {"url": url})



async def shorten(page: bytes, length: int) -> bytes:
    return await _wfc_step("step//steps.py//shorten", {"page": page, "length": length})





from workflow.abi.flow_v1 import step as _wfc_step
