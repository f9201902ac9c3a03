/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2) is the IPv4 address: it
/// is what a socket that serves both families makes of it.
struct IPAddress: Sendable, Hashable {
    enum Family: Hashable {
        case v4
        case v6

        var bitCount: Int { self == .v4 ? 32 : 128 }
    }

    let family: Family
    let bits: UInt128

    /// Reads `192.0.2.1` (four decimal numbers without leading zeros) and the forms of RFC 4291 §2.2, without zone.
    init?(_ text: Span<UInt8>) {
        guard let address = Self.unmapped(text) else { return nil }
        self =
            address.family == .v6 && address.bits >> 32 == 0xFFFF
            ? IPAddress(.v4, address.bits & 0xFFFF_FFFF) : address
    }

    fileprivate init(_ family: Family, _ bits: UInt128) {
        self.family = family
        self.bits = bits
    }

    /// Leaves mapped addresses in IPv6.
    fileprivate static func unmapped(_ text: Span<UInt8>) -> IPAddress? {
        // The longest: eight groups with a dotted quad at the end.
        guard text.count <= 45 else { return nil }
        for index in text.indices where text[index] == UInt8(ascii: ":") { return v6(text) }
        return v4(text).map { IPAddress(.v4, UInt128($0)) }
    }

    private static func v4(_ text: Span<UInt8>) -> UInt32? {
        var bits: UInt32 = 0
        var index = 0
        for part in 0..<4 {
            if part > 0 {
                guard index < text.count, text[index] == UInt8(ascii: ".") else { return nil }
                index += 1
            }
            let start = index
            var number: UInt32 = 0
            while index < text.count, isDigit(text[index]) {
                guard index - start < 3 else { return nil }
                number = number * 10 + UInt32(text[index] - UInt8(ascii: "0"))
                index += 1
            }
            guard index > start, number <= 255, index - start == 1 || text[start] != UInt8(ascii: "0") else {
                return nil
            }
            bits = bits << 8 | number
        }
        return index == text.count ? bits : nil
    }

    private static func v6(_ text: Span<UInt8>) -> IPAddress? {
        // Groups before `::` are shifted into `head`, those behind it into `tail`.
        var head: UInt128 = 0
        var tail: UInt128 = 0
        var count = 0
        var countBeforeGap: Int?
        func append(_ group: UInt32) {
            count += 1
            if countBeforeGap == nil { head = head << 16 | UInt128(group) } else { tail = tail << 16 | UInt128(group) }
        }

        var index = 0
        if text.count >= 2, text[0] == UInt8(ascii: ":") {
            guard text[1] == UInt8(ascii: ":") else { return nil }
            countBeforeGap = 0
            index = 2
        }
        var needsGroup = countBeforeGap == nil
        while index < text.count {
            let start = index
            var group: UInt32 = 0
            while index < text.count, let digit = hexadecimal(text[index]) {
                guard index - start < 4 else { return nil }
                group = group << 4 | digit
                index += 1
            }
            guard index > start, count < 8 else { return nil }
            if index < text.count, text[index] == UInt8(ascii: ".") {
                guard count <= 6, let quad = v4(text.extracting(start..<text.count)) else { return nil }
                append(quad >> 16)
                append(quad & 0xFFFF)
                index = text.count
                needsGroup = false
                break
            }
            append(group)
            needsGroup = false
            guard index < text.count else { break }
            guard text[index] == UInt8(ascii: ":") else { return nil }
            index += 1
            needsGroup = true
            if index < text.count, text[index] == UInt8(ascii: ":") {
                guard countBeforeGap == nil else { return nil }
                countBeforeGap = count
                index += 1
                needsGroup = false
            }
        }
        guard !needsGroup else { return nil }
        guard let countBeforeGap else { return count == 8 ? IPAddress(.v6, head) : nil }
        // `::` stands for at least one group. A shift by 128 is zero.
        guard count < 8 else { return nil }
        return IPAddress(.v6, head << UInt128(16 * (8 - countBeforeGap)) | tail)
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}

/// The value of an IpAddress condition: a network in CIDR notation (RFC 4632, RFC 4291 §2.3), or one address.
struct IPNetwork: Sendable, Hashable {
    private let family: IPAddress.Family
    private let prefix: UInt128
    private let hostBitCount: Int

    /// Bits behind the prefix do not count: `203.0.113.7/24` is `203.0.113.0/24`. A network of mapped addresses
    /// (`::ffff:192.0.2.0/120`) is the IPv4 network; a wider IPv6 network, such as `::/0`, has IPv6 addresses only.
    init?(_ text: Span<UInt8>) {
        var end = 0
        while end < text.count, text[end] != UInt8(ascii: "/") { end += 1 }
        guard var address = IPAddress.unmapped(text.extracting(0..<end)) else { return nil }
        var length = address.family.bitCount
        if end < text.count {
            guard let written = Self.prefixLength(text.extracting(end + 1..<text.count)), written <= length else {
                return nil
            }
            length = written
        }
        if address.family == .v6, address.bits >> 32 == 0xFFFF, length >= 96 {
            address = IPAddress(.v4, address.bits & 0xFFFF_FFFF)
            length -= 96
        }
        family = address.family
        hostBitCount = address.family.bitCount - length
        prefix = address.bits >> UInt128(hostBitCount)
    }

    func contains(_ address: IPAddress) -> Bool {
        address.family == family && address.bits >> UInt128(hostBitCount) == prefix
    }

    private static func prefixLength(_ text: Span<UInt8>) -> Int? {
        guard (1...3).contains(text.count), text.count == 1 || text[0] != UInt8(ascii: "0") else { return nil }
        var length = 0
        for index in text.indices {
            guard isDigit(text[index]) else { return nil }
            length = length * 10 + Int(text[index] - UInt8(ascii: "0"))
        }
        return length
    }
}
