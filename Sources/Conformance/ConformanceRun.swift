internal import KMSModel
internal import KeyStores
internal import SecureMemory

/// The bodies of the conformance checks, on one store.
struct ConformanceRun {
    let store: any KeyStore

    private static let associatedData: [UInt8] = Array("context".utf8)

    // MARK: Encryption

    func returnsEveryPlaintext() async throws {
        try await withKey { key in
            for count in [1, 2, 15, 16, 17, 32, 1023, 4095, 4096] {
                let plaintext = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) }
                for associatedData in [[], Self.associatedData, [UInt8](repeating: 9, count: 8192)] {
                    let message = try await encrypt(plaintext, associatedData, key)
                    try require(message.tag.count == 16, "the tag has \(message.tag.count) bytes")
                    try require(message.ciphertext.count == count, "\(count) bytes became \(message.ciphertext.count)")
                    let opened = try await store.decrypt(message, associatedData: associatedData, with: key)
                    try require(opened.revealed == plaintext, "\(count) bytes did not come back")
                }
            }
        }
    }

    func neverRepeatsItself() async throws {
        try await withKey { key in
            var seen: Set<[UInt8]> = []
            for _ in 0..<64 {
                let message = try await encrypt([1, 2, 3], Self.associatedData, key)
                try require(seen.insert(message.nonce + message.iv).inserted, "a nonce came twice")
                if !message.iv.isEmpty { try require(message.iv.contains { $0 != 0 }, "the IV is zero") }
            }
        }
    }

    func bindsAssociatedData() async throws {
        try await withKey { key in
            let message = try await encrypt([1, 2, 3], Self.associatedData, key)
            for other in [[], Self.associatedData + [0], Array(Self.associatedData.dropLast())] {
                try await requireError(.invalidCiphertext, "other associated data") {
                    _ = try await store.decrypt(message, associatedData: other, with: key)
                }
            }
        }
    }

    func noticesEveryChange() async throws {
        try await withKey { key in
            let message = try await encrypt([1, 2, 3, 4, 5], Self.associatedData, key)
            let fields: [(String, WritableKeyPath<SealedMessage, [UInt8]>)] = [
                ("nonce", \.nonce), ("IV", \.iv), ("ciphertext", \.ciphertext), ("tag", \.tag),
            ]
            for (name, field) in fields {
                for bit in 0..<message[keyPath: field].count * 8 {
                    var changed = message
                    changed[keyPath: field][bit / 8] ^= 1 << UInt8(bit % 8)
                    let attempt = changed
                    try await requireError(.invalidCiphertext, "bit \(bit) of the \(name) changed") {
                        _ = try await store.decrypt(attempt, associatedData: Self.associatedData, with: key)
                    }
                }
            }
            let opened = try await store.decrypt(message, associatedData: Self.associatedData, with: key)
            try require(opened.revealed == [1, 2, 3, 4, 5], "the unchanged message does not open any more")
        }
    }

    func refusesOtherForms() async throws {
        try await withKey { key in
            let message = try await encrypt([1, 2, 3, 4, 5], Self.associatedData, key)
            var forms = Array(repeating: message, count: 7)
            forms[0].tag = Array(message.tag.dropLast())
            forms[1].tag = []
            forms[2].iv = message.iv + [0]
            forms[3].ciphertext = []
            forms[4].ciphertext = [UInt8](repeating: 0, count: 4097)
            forms[5].nonce = message.nonce + [1]
            forms[6] = SealedMessage(nonce: [], iv: [], ciphertext: [], tag: [])
            for (index, form) in forms.enumerated() {
                try await requireError(.invalidCiphertext, "form \(index)") {
                    _ = try await store.decrypt(form, associatedData: Self.associatedData, with: key)
                }
            }
        }
    }

    func keepsKeysApart() async throws {
        try await withKey { key in
            let message = try await encrypt([1], Self.associatedData, key)
            try await withKey { other in
                try await requireError(.invalidCiphertext, "another key") {
                    _ = try await store.decrypt(message, associatedData: Self.associatedData, with: other)
                }
            }
        }
    }

    // MARK: Material

    func fingerprintsMaterial() async throws {
        try await withKey { key in
            let first = try await store.fingerprint(of: key).revealed
            let again = try await store.fingerprint(of: key)
            try require(again.revealed == first, "the fingerprint changes")
            try require(!first.isEmpty, "the fingerprint is empty")
            try await withKey { other in
                let another = try await store.fingerprint(of: other)
                try require(another.revealed != first, "two keys have one fingerprint")
            }
        }
    }

    func makesRandomBytes() async throws {
        for count in [1, 2, 31, 32, 1024] {
            let bytes = try await store.randomBytes(count).revealed
            try require(bytes.count == count, "\(bytes.count) random bytes instead of \(count)")
        }
        let first = try await store.randomBytes(32).revealed
        let second = try await store.randomBytes(32)
        try require(second.revealed != first, "random bytes repeat")
    }

    func refusesUnsupportedSpecs() async throws {
        for kind in KeyKind.forbidden { try await KeyKindConformance(kind).requireForbidden(on: store) }
        for kind in KeyKind.allowed {
            guard let reason = store.refusal(of: kind.keySpec, usage: kind.usage) else { continue }
            try require(!reason.isEmpty, "\(kind) is refused without a reason")
            try await requireError(.unsupportedAlgorithm, "\(kind)") {
                _ = try await store.generateKey(ConformanceKeys.request(kind.keySpec, kind.usage))
            }
        }
    }

    func destroysForGood() async throws {
        let key = try await store.generateKey(ConformanceKeys.request())
        let message = try await encrypt([1], [], key)
        try await store.destroyKey(key.id)
        try await requireError(.keyNotFound, "decrypting with a destroyed key") {
            _ = try await store.decrypt(message, associatedData: [], with: key)
        }
        try await requireError(.keyNotFound, "encrypting with a destroyed key") {
            _ = try await encrypt([1], [], key)
        }
        try await requireError(.keyNotFound, "the fingerprint of a destroyed key") {
            _ = try await store.fingerprint(of: key)
        }
        try await store.destroyKey(key.id)
    }

    func refusesTakenIdentities() async throws {
        try await withKey { key in
            let message = try await encrypt([1, 2], [], key)
            let again = KeyGeneration(
                id: key.id, keySpec: .symmetricDefault, keyUsage: .encryptDecrypt, kmsKeyID: key.kmsKeyID,
                label: "again")
            try await requireError(.internalFailure, "a taken identity") { _ = try await store.generateKey(again) }
            let opened = try await store.decrypt(message, associatedData: [], with: key)
            try require(opened.revealed == [1, 2], "the key was replaced")
        }
    }

    func listsWhatItHolds() async throws {
        let request = ConformanceKeys.request(label: "arn:aws:kms:eu-central-1:111122223333:key/é")
        let key = try await store.generateKey(request)
        let inventory = try await store.inventory()
        let isListed = inventory?.contains { $0.id == key.id && $0.label == request.label && !$0.isExposed }
        try require(isListed == true, "the key is not listed with its label")
        try await store.destroyKey(key.id)
        let remaining = try await store.inventory()
        try require(remaining?.contains { $0.id == key.id } == false, "a destroyed key is listed")
    }

    // MARK: Load

    func worksConcurrently() async throws {
        try await withKey { first in
            try await withKey { second in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<200 {
                        let key = number.isMultiple(of: 2) ? first : second
                        group.addTask {
                            let plaintext = [UInt8](repeating: UInt8(number), count: 1 + number * 20)
                            let associatedData = [UInt8(number)]
                            let message = try await encrypt(plaintext, associatedData, key)
                            let opened = try await store.decrypt(message, associatedData: associatedData, with: key)
                            try require(opened.revealed == plaintext, "request \(number) got another answer")
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    // MARK: Steps

    private func withKey(_ body: (BackingKey) async throws -> Void) async throws {
        let key = try await store.generateKey(ConformanceKeys.request())
        do {
            try await body(key)
        } catch {
            try? await store.destroyKey(key.id)
            throw error
        }
        try await store.destroyKey(key.id)
    }

    private func encrypt(
        _ plaintext: [UInt8], _ associatedData: [UInt8], _ key: BackingKey
    ) async throws -> SealedMessage {
        try await store.encrypt(SecretBytes(plaintext), associatedData: associatedData, with: key)
    }
}
