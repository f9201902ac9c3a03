"""DER, and what is almost DER (ITU-T X.690)."""


def tlv(tag, *contents):
    """Tag, length and value; the value is put together from its parts."""
    content = b"".join(contents)
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def integer(value):
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def sequence(*contents):
    return tlv(0x30, *contents)


def content(data):
    """The value of the outermost tag and length."""
    return data[2 + (data[1] & 0x7F if data[1] & 0x80 else 0):]


def with_long_length(data):
    """The length in more bytes than it needs: BER, not DER."""
    inner = content(data)
    return data[:1] + b"\x83" + len(inner).to_bytes(3, "big") + inner


def with_indefinite_length(data):
    """The end is marked instead: BER, not DER."""
    return data[:1] + b"\x80" + content(data) + b"\0\0"
