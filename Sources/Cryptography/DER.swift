internal import SecureMemory

/// The few DER (X.690 §10) forms that are laid by hand: headers of known contents. Parsing is libcrypto's.
enum DER {
    static let sequence: UInt8 = 0x30
    static let bitString: UInt8 = 0x03
    static let octetString: UInt8 = 0x04

    /// Tag and length of an element with `count` bytes of contents, at most 65535.
    static func header(_ tag: UInt8, _ count: Int) -> [UInt8] {
        switch count {
        case ..<128: [tag, UInt8(truncatingIfNeeded: count)]
        case ..<256: [tag, 0x81, UInt8(truncatingIfNeeded: count)]
        default: [tag, 0x82, UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)]
        }
    }

    /// Whether the bytes are one sequence, and its contents begin with `contents`.
    static func isOneSequence(_ bytes: Span<UInt8>, beginningWith contents: [UInt8]) -> Bool {
        let end = headerByteCount(bytes.count) + contents.count
        return isOneSequence(bytes) && bytes.count >= end
            && constantTimeEquals(bytes.extracting((end - contents.count)..<end), contents.span)
    }

    /// Of a whole element of `count` bytes with its shortest length.
    private static func headerByteCount(_ count: Int) -> Int {
        switch count {
        case ..<130: 2
        case ..<259: 3
        default: 4
        }
    }

    /// Whether the bytes are a sequence of up to 65535 bytes with its shortest length and nothing after it. libcrypto's
    /// parsers stop at the end of what they read.
    static func isOneSequence(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= 2 else { return false }
        for headerCount in [2, 3, 4] where bytes.count >= headerCount && bytes.count - headerCount < 1 << 16 {
            let expected = header(sequence, bytes.count - headerCount)
            guard expected.count == headerCount else { continue }
            return constantTimeEquals(bytes.extracting(..<headerCount), expected.span)
        }
        return false
    }
}
