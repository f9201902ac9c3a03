internal import Cryptography
internal import KMSModel
public import KeyStores
internal import SecureMemory

// What must not come in, and leaves nothing behind.
extension KeyImportConformance {
    /// Throws `ConformanceFailure`, or what the store threw where it must not throw.
    ///
    /// - Returns: how many wrong imports were tried.
    public func refuseWrongImports(on store: any KeyStore) async throws -> Int {
        try await withWrappingKey(on: store) { wrappingKey in
            let before = try await store.inventory().map(Set.init)
            var count = 0
            for (name, wrapped) in try notUnwrapping(wrappingKey) {
                // The answer must not depend on what was expected.
                for keySpec in [KeySpec.symmetricDefault, .hmac256, .eccNistP256]
                where store.refusal(ofImporting: keySpec, usage: Self.usage(keySpec)) == nil {
                    try await requireError(.invalidCiphertext, "\(self): \(name) for \(keySpec.rawValue)") {
                        _ = try await importKey(wrapped, keySpec, Self.usage(keySpec), wrappingKey, store)
                    }
                    count += 1
                }
            }
            for wrong in try ImportMaterial.wrong() where keySpecs.contains(wrong.keySpec) {
                guard store.refusal(ofImporting: wrong.keySpec, usage: Self.usage(wrong.keySpec)) == nil,
                    // What does not fit into one block is nobody's to send.
                    let wrapped = try? wrap(SecretBytes(wrong.material), wrappingKey)
                else { continue }
                try await refuse(wrong, wrapped, wrappingKey, store)
                count += 1
            }
            let after = try await store.inventory().map(Set.init)
            try require(before == after, "something is left of a refused import")
            try await requireOwnKey(wrappingKey, store)
            return count
        }
    }

    private static func usage(_ keySpec: KeySpec) -> KeyUsageType {
        switch keySpec.materialForm {
        case .symmetric: .encryptDecrypt
        case .mac: .generateVerifyMac
        case .keyPair: .signVerify
        }
    }

    private func refuse(
        _ wrong: ImportMaterial.Wrong, _ wrapped: [UInt8], _ wrappingKey: WrappingKey, _ store: any KeyStore
    ) async throws {
        let what = "\(self): \(wrong.name) for \(wrong.keySpec.rawValue)"
        do {
            let imported = try await importKey(
                wrapped, wrong.keySpec, Self.usage(wrong.keySpec), wrappingKey, store)
            let spki = try wrong.keySpec.keyPairKind.map { try ImportMaterial.keyPair($0).publicKey.spki }
            try await store.destroyKey(imported.backingKey.id)
            try require(
                wrong.isForTokenToJudge && !imported.path.exposesMaterialToHost
                    && imported.backingKey.publicKey == spki, "\(what) is taken")
        } catch let error as KeyStoreError {
            let isInBlock = algorithm == .rsaesOaepSha1 || algorithm == .rsaesOaepSha256
            try require(
                error.code == .incorrectMaterial
                    || error.code == .invalidCiphertext && isInBlock && wrong.isTooLongForSome, "\(what): \(error)")
            try require(!error.reason.isEmpty, "\(what): no reason")
        }
    }

    /// Bytes that do not unwrap, each for a reason of its own that nobody must be able to tell.
    private func notUnwrapping(_ wrappingKey: WrappingKey) throws -> [(name: String, wrapped: [UInt8])] {
        let right = try wrap(ImportMaterial.right(.symmetricDefault), wrappingKey)
        let another = try wrap(ImportMaterial.right(.symmetricDefault), wrappingKey)
        let kind = wrappingKey.wrappingKeySpec.keyPairKind
        let blockByteCount = kind.modulusByteCount ?? 0
        var junk: [(name: String, wrapped: [UInt8])] = []
        for index in [0, 1, blockByteCount / 2, blockByteCount - 1, right.count - 1] where index < right.count {
            var changed = right
            changed[index] ^= 2
            junk.append(("byte \(index) changed", changed))
        }
        for count in [1, 16, blockByteCount - 1, right.count - 1, right.count - 8] where count < right.count {
            junk.append(("\(count) bytes", Array(right.prefix(count))))
        }
        junk.append(("a byte more", right + [0]))
        junk.append(("all ones", [UInt8](repeating: 0xff, count: right.count)))
        junk.append(("all zeros", [UInt8](repeating: 0, count: right.count)))
        junk.append(("the longest", ImportMaterial.bytes(6_144)))
        // Wrapped for somebody else, and in another way.
        let stranger = try ImportMaterial.keyPair(kind).publicKey
        if let scheme = algorithm.scheme {
            junk.append(("another's", try stranger.wrap(ImportMaterial.right(.symmetricDefault), scheme)))
        }
        for other in Self.allowed.map(\.algorithm) where other != algorithm {
            let wrapped = try wrap(ImportMaterial.right(.symmetricDefault), wrappingKey, as: other)
            junk.append((other.rawValue, wrapped))
        }
        guard right.count > blockByteCount else { return junk }
        let (block, rest) = (Array(right[..<blockByteCount]), Array(right[blockByteCount...]))
        let (otherBlock, otherRest) = (Array(another[..<blockByteCount]), Array(another[blockByteCount...]))
        junk.append(("the rest of another", block + otherRest))
        junk.append(("the block of another", otherBlock + rest))
        var changed = right
        changed[blockByteCount] ^= 1
        junk.append(("a right block and a wrong rest", changed))
        return junk
    }

    /// After all that, the wrapping key still does its work.
    private func requireOwnKey(_ wrappingKey: WrappingKey, _ store: any KeyStore) async throws {
        let wrapped = try wrap(ImportMaterial.right(.symmetricDefault), wrappingKey)
        let imported = try await importKey(wrapped, .symmetricDefault, .encryptDecrypt, wrappingKey, store)
        try await store.destroyKey(imported.backingKey.id)
    }
}
