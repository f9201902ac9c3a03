package import KMSModel

/// One session tag.
package struct SessionTag: Sendable, Hashable {
    package var key: Text
    package var value: Text
    /// Whether sessions that are made with this one inherit it.
    package var isTransitive: Bool

    package init(key: Text, value: Text, isTransitive: Bool) {
        self.key = key
        self.value = value
        self.isTransitive = isTransitive
    }
}

/// What a session token holds: everything about a role session that is not the role's own.
package struct SessionContent: Sendable, Hashable {
    package var roleARN: Text
    /// A role of the same name that is made later is another role.
    package var roleUniqueID: Text
    package var sessionName: Text
    /// Domain time, seconds since 1970.
    package var issueTime: Int64
    /// Domain time, seconds since 1970; from then on the session is over.
    package var expiry: Int64
    package var sourceIdentity: Text?
    package var tags: [SessionTag]
    /// Managed policies that limit the session; looked up when the session is used.
    package var policyARNs: [Text]
    /// A policy that limits the session, as text.
    package var policy: Text?

    package init(
        roleARN: Text, roleUniqueID: Text, sessionName: Text, issueTime: Int64, expiry: Int64,
        sourceIdentity: Text? = nil, tags: [SessionTag] = [], policyARNs: [Text] = [], policy: Text? = nil
    ) {
        self.roleARN = roleARN
        self.roleUniqueID = roleUniqueID
        self.sessionName = sessionName
        self.issueTime = issueTime
        self.expiry = expiry
        self.sourceIdentity = sourceIdentity
        self.tags = tags
        self.policyARNs = policyARNs
        self.policy = policy
    }
}

// The encoding. A text is two bytes of length, big-endian, and UTF-8; an absent text is an empty one.
//
//     issue time (8, big-endian) ‖ expiry (8) ‖ role ARN ‖ role's unique id ‖ session name ‖ source identity
//     ‖ policy ‖ number of policy ARNs (1) ‖ policy ARNs ‖ number of tags (1)
//     ‖ tags: key ‖ value ‖ transitive (1: 0 or 1)
extension SessionContent {
    /// Nil when a part is longer than its length can say.
    package func encoded() -> [UInt8]? {
        var bytes: [UInt8] = []
        for time in [issueTime, expiry] {
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: time >> shift)) }
        }
        let texts = [roleARN, roleUniqueID, sessionName, sourceIdentity ?? "", policy ?? ""]
        for text in texts { guard Self.append(text, to: &bytes) else { return nil } }
        guard let policyCount = UInt8(exactly: policyARNs.count), let tagCount = UInt8(exactly: tags.count) else {
            return nil
        }
        bytes.append(policyCount)
        for policyARN in policyARNs { guard Self.append(policyARN, to: &bytes) else { return nil } }
        bytes.append(tagCount)
        for tag in tags {
            guard Self.append(tag.key, to: &bytes), Self.append(tag.value, to: &bytes) else { return nil }
            bytes.append(tag.isTransitive ? 1 : 0)
        }
        return bytes
    }

    private static func append(_ text: Text, to bytes: inout [UInt8]) -> Bool {
        guard let count = UInt16(exactly: text.utf8.count) else { return false }
        bytes.append(UInt8(count >> 8))
        bytes.append(UInt8(count & 0xff))
        bytes.append(contentsOf: text.utf8)
        return true
    }

    /// Nil for anything that `encoded` does not write.
    package init?(decoding bytes: [UInt8]) {
        var reader = Reader(rest: bytes[...])
        guard let issueTime = reader.integer(), let expiry = reader.integer(), let roleARN = reader.text(),
            let roleUniqueID = reader.text(), let sessionName = reader.text(), let sourceIdentity = reader.text(),
            let policy = reader.text(), let policyCount = reader.byte()
        else { return nil }
        var policyARNs: [Text] = []
        for _ in 0..<policyCount {
            guard let policyARN = reader.text() else { return nil }
            policyARNs.append(policyARN)
        }
        guard let tagCount = reader.byte() else { return nil }
        var tags: [SessionTag] = []
        for _ in 0..<tagCount {
            guard let key = reader.text(), let value = reader.text(), let isTransitive = reader.byte(),
                isTransitive <= 1
            else { return nil }
            tags.append(SessionTag(key: key, value: value, isTransitive: isTransitive == 1))
        }
        guard reader.rest.isEmpty else { return nil }
        self.init(
            roleARN: roleARN, roleUniqueID: roleUniqueID, sessionName: sessionName, issueTime: issueTime,
            expiry: expiry, sourceIdentity: sourceIdentity.isEmpty ? nil : sourceIdentity, tags: tags,
            policyARNs: policyARNs, policy: policy.isEmpty ? nil : policy)
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func byte() -> UInt8? { rest.popFirst() }

        mutating func integer() -> Int64? {
            guard rest.count >= 8 else { return nil }
            let value = rest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            rest.removeFirst(8)
            return Int64(bitPattern: value)
        }

        mutating func text() -> Text? {
            guard let high = byte(), let low = byte() else { return nil }
            let count = Int(high) << 8 | Int(low)
            guard rest.count >= count, let text = String(validating: rest.prefix(count), as: UTF8.self) else {
                return nil
            }
            rest.removeFirst(count)
            return Text(text)
        }
    }
}
