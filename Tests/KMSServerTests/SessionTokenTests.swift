import KMSModel
import KMSServer
import SecureMemory
import Testing

/// What a session token proves, and everything that must not pass for one.
struct SessionTokenTests {
    private let secret = SecretBytes(copying: [UInt8](repeating: 7, count: 32).span)
    private let accessKeyID = "ASIAABCDEFGHIJKLMNOP"

    static let content = SessionContent(
        roleARN: "arn:aws:iam::111111111111:role/team/deploy", roleUniqueID: "AROAABCDEFGHIJKLMNOPQ", sessionName: "ci",
        issueTime: 1_800_000_000, expiry: 1_800_003_600, sourceIdentity: "alice",
        tags: [
            SessionTag(key: "project", value: "blue", isTransitive: true),
            SessionTag(key: "käse", value: "", isTransitive: false),
        ],
        policyARNs: ["arn:aws:iam::111111111111:policy/KeyUsers"], policy: #"{"Statement":[]}"#)

    private func open(_ token: String, as accessKeyID: String? = nil) throws -> SessionContent? {
        try SessionToken.open(token, accessKeyID: accessKeyID ?? self.accessKeyID, secret: secret)
    }

    private func seal(_ content: SessionContent = content) throws -> String {
        try #require(try SessionToken.seal(content, accessKeyID: accessKeyID, secret: secret))
    }

    @Test func `What was sealed is what is opened`() throws {
        try #expect(open(seal()) == Self.content)
        var bare = Self.content
        (bare.sourceIdentity, bare.tags, bare.policyARNs, bare.policy) = (nil, [], [], nil)
        try #expect(open(seal(bare)) == bare)
    }

    @Test func `Two tokens of the same content have nothing in common`() throws {
        let tokens = try (0..<2).map { _ in try seal() }
        // The version is the same in both.
        #expect(tokens[0].dropFirst(2).prefix(40) != tokens[1].dropFirst(2).prefix(40))
    }

    @Test func `A token is good for its own access key only`() throws {
        try #expect(open(seal(), as: "ASIAABCDEFGHIJKLMNOQ") == nil)
        try #expect(open(seal(), as: "") == nil)
    }

    @Test func `A token of another installation is not opened`() throws {
        let other = SecretBytes(copying: [UInt8](repeating: 8, count: 32).span)
        let token = try #require(try SessionToken.seal(Self.content, accessKeyID: accessKeyID, secret: other))
        try #expect(open(token) == nil)
    }

    @Test func `No changed character passes`() throws {
        let token = Array(try seal().utf8)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        for position in token.indices {
            for bit in 0..<6 {
                guard let value = alphabet.firstIndex(of: token[position]) else { continue }
                var changed = token
                changed[position] = alphabet[value ^ (1 << bit)]
                try #expect(open(String(decoding: changed, as: UTF8.self)) == nil, "character \(position), bit \(bit)")
            }
        }
    }

    @Test func `No truncated and no extended token passes`() throws {
        let token = try seal()
        for length in 0..<token.utf8.count { try #expect(open(String(token.prefix(length))) == nil) }
        for more in ["A", "AAAA", "=", " ", "\n", "é"] { try #expect(open(token + more) == nil) }
        try #expect(open(token + token) == nil)
    }

    @Test func `A token that is longer than any is not even decoded`() throws {
        try #expect(open(String(repeating: "AQID", count: 1_024)) == nil)
        try #expect(open(String(repeating: "AQID", count: 1 << 18)) == nil)
    }

    @Test func `The longest content gives a token of 4096 characters, and a longer one none`() throws {
        var content = Self.content
        let rest = try #require(content.encoded()?.count) - (content.policy?.utf8.count ?? 0)
        content.policy = Text(String(repeating: "p", count: SessionToken.maximumContentByteCount - rest))
        let token = try seal(content)
        #expect(token.utf8.count <= 4_096)
        try #expect(open(token) == content)
        content.policy = Text((content.policy?.string ?? "") + "p")
        try #expect(SessionToken.seal(content, accessKeyID: accessKeyID, secret: secret) == nil)
    }

    @Test func `Random bytes are never opened and never trap`() throws {
        var generator = SplitMix(state: 3)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...200, using: &generator)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            // Every second one gets past the version.
            if !bytes.isEmpty, Bool.random(using: &generator) { bytes[0] = 1 }
            try #expect(open(base64(bytes)) == nil)
            try #expect(open(String(decoding: bytes, as: UTF8.self)) == nil)
        }
    }

    @Test func `A content with anything before, after or missing is refused`() throws {
        let encoded = try #require(Self.content.encoded())
        #expect(SessionContent(decoding: encoded) == Self.content)
        for length in 0..<encoded.count { #expect(SessionContent(decoding: Array(encoded.prefix(length))) == nil) }
        #expect(SessionContent(decoding: encoded + [0]) == nil)
        // The last byte says whether a tag is transitive.
        #expect(SessionContent(decoding: encoded.dropLast() + [2]) == nil)
    }

    @Test func `Random contents decode to what they encode to, or not at all`() {
        var generator = SplitMix(state: 5)
        let encoded = Self.content.encoded() ?? []
        for _ in 0..<50_000 {
            var bytes = encoded
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if let content = SessionContent(decoding: bytes) { #expect(content.encoded() == bytes) }
        }
    }

    @Test func `Access keys have AWS's form, and their secrets depend on the id and on the installation`() throws {
        let id = try SessionCredentials.makeAccessKeyID()
        #expect(id.wholeMatch(of: /ASIA[A-Z2-7]{16}/) != nil)
        try #expect(SessionCredentials.makeAccessKeyID() != id)
        let key = try text(SessionCredentials.secretKey(accessKeyID: id, secret: secret))
        #expect(key.wholeMatch(of: /[A-Za-z0-9+\/]{40}/) != nil)
        try #expect(text(SessionCredentials.secretKey(accessKeyID: id, secret: secret)) == key)
        try #expect(text(SessionCredentials.secretKey(accessKeyID: accessKeyID, secret: secret)) != key)
        let other = SecretBytes(copying: [UInt8](repeating: 8, count: 32).span)
        try #expect(text(SessionCredentials.secretKey(accessKeyID: id, secret: other)) != key)
    }

    private func text(_ secret: SecretBytes) -> String {
        secret.withBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
    }

    private func base64(_ bytes: [UInt8]) -> String {
        String(
            decoding: [UInt8](capacity: Base64.encodedCount(bytes.count)) { Base64.encode(bytes.span, into: &$0) },
            as: UTF8.self)
    }
}
