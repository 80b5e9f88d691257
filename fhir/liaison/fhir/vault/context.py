"""What a sealed value is bound to: the associated data."""


def context(*parts: bytes | str | int) -> bytes:
    """An unambiguous encoding of the parts: each is prefixed with its length, never joined by a separator."""
    out = bytearray()
    for part in parts:
        if isinstance(part, int):
            part = part.to_bytes(8, "big", signed=True)
        elif isinstance(part, str):
            part = part.encode()
        out += len(part).to_bytes(4, "big")
        out += part
    return bytes(out)
