/// The little of DER (X.690) that public keys and signatures need.
enum DER {
    static let integer: UInt8 = 0x02
    static let bitString: UInt8 = 0x03
    static let octetString: UInt8 = 0x04
    static let objectIdentifier: UInt8 = 0x06
    static let sequence: UInt8 = 0x30

    static let null: [UInt8] = [0x05, 0x00]

    /// One element with its identifier and its definite, shortest length (X.690 §8.1.3, §10.1).
    static func element(_ tag: UInt8, _ contents: [UInt8]) -> [UInt8] {
        var length: [UInt8] = []
        var rest = contents.count
        if rest < 0x80 {
            length = [UInt8(rest)]
        } else {
            while rest > 0 {
                length.insert(UInt8(truncatingIfNeeded: rest), at: 0)
                rest >>= 8
            }
            length.insert(0x80 | UInt8(length.count), at: 0)
        }
        return [tag] + length + contents
    }

    static func sequence(_ elements: [UInt8]...) -> [UInt8] {
        element(sequence, elements.flatMap { $0 })
    }

    /// An INTEGER that is not negative, from its big-endian bytes.
    static func unsignedInteger(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let digits = Array(bytes.drop { $0 == 0 })
        guard let first = digits.first else { return element(integer, [0]) }
        return element(integer, first & 0x80 == 0 ? digits : [0] + digits)
    }

    /// A BIT STRING of whole bytes.
    static func bitString(_ bytes: [UInt8]) -> [UInt8] {
        element(bitString, [0] + bytes)
    }

    /// The whole of `bytes` as one element of type `tag`: its contents, or nil if it is anything else.
    static func contents(of bytes: some Collection<UInt8>, _ tag: UInt8) -> ArraySlice<UInt8>? {
        var reader = DERReader(bytes)
        guard let contents = reader.read(tag), reader.isAtEnd else { return nil }
        return contents
    }
}

/// Reads elements one after the other. Nil means: not what was asked for, and nothing is consumed beyond use.
struct DERReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: some Collection<UInt8>) {
        rest = Array(bytes)[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// The contents of the next element if it has this identifier and a length in DER.
    mutating func read(_ tag: UInt8) -> ArraySlice<UInt8>? {
        guard rest.popFirst() == tag, let first = rest.popFirst() else { return nil }
        var count = Int(first)
        if first & 0x80 != 0 {
            let digits = Int(first & 0x7F)
            // Nothing that is read here has more than 65,535 bytes.
            guard (1...2).contains(digits), rest.count >= digits else { return nil }
            count = rest.prefix(digits).reduce(0) { $0 << 8 | Int($1) }
            guard count >= (digits == 1 ? 0x80 : 0x100) else { return nil }
            rest = rest.dropFirst(digits)
        }
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// The contents of a BIT STRING of whole bytes.
    mutating func readBitString() -> ArraySlice<UInt8>? {
        guard let contents = read(DER.bitString), contents.first == 0 else { return nil }
        return contents.dropFirst()
    }
}
