/// The headers of one request under their lower-case names, for a handful of look-ups.
///
/// Names are compared through a 64-bit hash first: with the 10 to 20 headers of a real request a scan over integers is
/// cheaper than a dictionary. The number of headers is bounded, so a hostile request cannot make it dear.
struct HeaderTable {
    /// HTTP servers stop around 100 fields; SDKs send fewer than 20.
    static let maximumCount = 128

    private struct Entry {
        let hash: UInt64
        let start: Int
        let end: Int
    }

    private let headers: [(name: String, value: String)]
    private var names: [UInt8] = []
    private var entries: [Entry] = []

    /// Errors: `incompleteSignature` for too many headers.
    init(_ headers: [(name: String, value: String)]) throws(SigV4Error) {
        guard headers.count <= Self.maximumCount else {
            throw .incompleteSignature("A signed request must not have more than \(Self.maximumCount) headers.")
        }
        self.headers = headers
        names.reserveCapacity(headers.count * 24)
        entries.reserveCapacity(headers.count)
        for header in headers {
            let start = names.count
            var hash = Self.hashSeed
            for byte in header.name.utf8 {
                let lower = UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte
                names.append(lower)
                hash = Self.mix(hash, lower)
            }
            entries.append(Entry(hash: hash, start: start, end: names.count))
        }
    }

    /// The value of the first header called `name` (lower case), or nil.
    func value(of name: some Collection<UInt8>) -> String? {
        index(of: name).map { headers[$0].value }
    }

    func value(of name: String) -> String? { value(of: name.utf8) }

    /// Refuses a second Authorization, Host, Content-Type, Date or X-Amz-*: two readers of the request could each
    /// take another one. Headers that are signed are checked by `requireOnce`.
    func refuseAmbiguity() throws(SigV4Error) {
        for (position, entry) in entries.enumerated() where isGuarded(entry) {
            for other in entries[(position + 1)...] where isSame(entry, other) {
                throw .duplicateHeader(name(of: entry))
            }
        }
    }

    /// Refuses a request whose signature leaves out something that decides what the request does: Host, every X-Amz-*
    /// (X-Amz-Target names the operation), and Date where it is the only date.
    ///
    /// Content-Type need not be signed: only one is ever accepted here, and the body is signed. SDKs sign it anyway.
    func requireSigned(_ signed: [ArraySlice<UInt8>]) throws(SigV4Error) {
        let signedHashes = signed.map { Self.hash($0) }
        func isSigned(_ entry: Entry) -> Bool {
            for (position, hash) in signedHashes.enumerated() where hash == entry.hash {
                if names[entry.start..<entry.end].elementsEqual(signed[position]) { return true }
            }
            return false
        }
        guard signed.contains(where: { $0.elementsEqual("host".utf8) }) else { throw .unsignedHeader("Host") }
        let hasAmazonDate = value(of: "x-amz-date") != nil
        for entry in entries where isAmazon(entry) || (!hasAmazonDate && isNamed(entry, "date")) {
            guard isSigned(entry) else { throw .unsignedHeader(name(of: entry)) }
        }
    }

    /// The value of a signed header, which must occur exactly once.
    func requireOnce(_ name: ArraySlice<UInt8>) throws(SigV4Error) -> String {
        guard let first = index(of: name) else {
            let name = SigV4Error.excerpt(String(decoding: name, as: UTF8.self))
            throw .incompleteSignature("SignedHeaders names '\(name)', which the request does not have.")
        }
        for other in entries[(first + 1)...] where isSame(entries[first], other) {
            throw .duplicateHeader(self.name(of: other))
        }
        return headers[first].value
    }

    private func index(of name: some Collection<UInt8>) -> Int? {
        let hash = Self.hash(name)
        return entries.firstIndex { $0.hash == hash && names[$0.start..<$0.end].elementsEqual(name) }
    }

    private func isSame(_ left: Entry, _ right: Entry) -> Bool {
        left.hash == right.hash && names[left.start..<left.end] == names[right.start..<right.end]
    }

    private func isNamed(_ entry: Entry, _ name: StaticString) -> Bool {
        names[entry.start..<entry.end].elementsEqual(name.description.utf8)
    }

    private func isAmazon(_ entry: Entry) -> Bool {
        entry.end - entry.start >= 6 && names[entry.start..<entry.start + 6].elementsEqual("x-amz-".utf8)
    }

    private func isGuarded(_ entry: Entry) -> Bool {
        switch entry.end - entry.start {
        case 4: isNamed(entry, "host") || isNamed(entry, "date")
        case 12: isNamed(entry, "content-type") || isAmazon(entry)
        case 13: isNamed(entry, "authorization") || isAmazon(entry)
        default: isAmazon(entry)
        }
    }

    private func name(of entry: Entry) -> String {
        SigV4Error.excerpt(String(decoding: names[entry.start..<entry.end], as: UTF8.self))
    }

    // FNV-1a. Collisions cost a comparison, nothing else.
    private static let hashSeed: UInt64 = 0xcbf2_9ce4_8422_2325

    private static func mix(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }

    private static func hash(_ name: some Collection<UInt8>) -> UInt64 { name.reduce(hashSeed, mix) }
}
