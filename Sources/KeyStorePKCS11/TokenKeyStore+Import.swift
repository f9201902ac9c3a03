internal import Cryptography
internal import Foundation
internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory

// Key material from outside.

extension TokenKeyStore {
    func refusal(ofImporting keySpec: KeySpec, usage: KeyUsageType) -> String? {
        keySpec.importRefusal ?? refusal(of: keySpec, usage: usage) ?? capabilities.refusal(of: [.importing(keySpec)])
    }

    func refusal(ofWrapping algorithm: AlgorithmSpec, _ wrappingKeySpec: WrappingKeySpec) -> String? {
        if let reason = algorithm.refusal(with: wrappingKeySpec) { return reason }
        guard let hash = Self.hash(of: algorithm) else { return KeyForm.absence(of: .sm2) }
        return capabilities.refusal(of: [.opening(hash)])
    }

    private static func hash(of algorithm: AlgorithmSpec) -> MechanismHash? {
        switch algorithm {
        case .rsaesOaepSha1, .rsaAesKeyWrapSha1: .sha1
        case .rsaesOaepSha256, .rsaAesKeyWrapSha256: .sha256
        case .rsaesPkcs1V15, .sm2pke: nil
        }
    }

    // MARK: Wrapping keys

    /// On the token, so that it serves after a restart too, and for one purpose only: a key that unwraps does not
    /// decrypt, and the other way round.
    func makeWrappingKey(_ request: WrappingKeyGeneration) async throws(KeyStoreError) -> WrappingKey {
        if let reason = refusal(ofWrapping: request.wrappingAlgorithm, request.wrappingKeySpec) {
            throw KeyStoreError(.unsupportedAlgorithm, reason)
        }
        let capabilities = capabilities
        guard let hash = Self.hash(of: request.wrappingAlgorithm), let opening = capabilities.blockOpenings[hash],
            let modulusByteCount = request.wrappingKeySpec.keyPairKind.modulusByteCount
        else { throw KeyStoreError(.unsupportedAlgorithm, "the token opens no such block") }
        let opener = BlockOpener(hash: hash, opening: opening)
        let template = KeyTemplate(
            .rsa(modulusBits: modulusByteCount * 8), usages: opening == .unwrapping ? [] : [.encryptDecrypt],
            id: request.id.bytes, label: "import wrapping key of \(request.label)", onToken: true,
            unwraps: opening == .unwrapping)
        let kind = request.wrappingKeySpec.keyPairKind
        let made = try await make(template, as: request.id) { key, info, session throws(PKCS11Error) in
            guard let info, let publicKey = try? PublicKey(spki: info, kind: kind) else {
                return "the public key is not valid"
            }
            return try OpeningTrial(opener: opener, publicKey: publicKey).run(with: key, in: &session)
        }
        guard let publicKey = made.publicKey else {
            throw KeyStoreError(.internalFailure, "the wrapping key has no public key")
        }
        keepHandle(made.object, of: request.id)
        return WrappingKey(
            id: request.id, wrappingKeySpec: request.wrappingKeySpec, wrappingAlgorithm: request.wrappingAlgorithm,
            kmsKeyID: request.kmsKeyID, reference: [], publicKey: publicKey)
    }

    // MARK: Material

    func importKey(_ request: KeyImport) async throws(KeyStoreError) -> ImportedKey {
        let (key, wrappingKey) = (request.key, request.wrappingKey)
        if let reason = refusal(ofImporting: key.keySpec, usage: key.keyUsage)
            ?? refusal(ofWrapping: wrappingKey.wrappingAlgorithm, wrappingKey.wrappingKeySpec)
        {
            throw KeyStoreError(.unsupportedAlgorithm, reason)
        }
        guard key.kmsKeyID == wrappingKey.kmsKeyID else {
            throw KeyStoreError(.internalFailure, "the wrapping key is another KMS key's")
        }
        try requireUnknown(key.id)
        let plan = try plan(request)
        do throws(KeyStoreError) {
            return try await carryOut(plan, key, with: wrappingKey.id)
        } catch {
            throw room.judge(error)
        }
    }

    private func carryOut(
        _ plan: Plan, _ key: KeyGeneration, with wrappingKey: BackingKeyID
    ) async throws(KeyStoreError) -> ImportedKey {
        var answer = try await attempt(plan, as: key.id, with: wrappingKey)
        // A fault of the token looks like bytes that do not unwrap, and a good wrapping must not be called invalid for
        // one that passes. Whatever it was that did not unwrap gets the second try.
        if case .doesNotUnwrap = answer { answer = try await attempt(plan, as: key.id, with: wrappingKey) }
        switch answer {
        case .kept(let object, let publicKey, let path):
            try await bringToDisk()
            keepHandle(object, of: key.id)
            let backingKey = BackingKey(
                id: key.id, keySpec: key.keySpec, kmsKeyID: key.kmsKeyID, reference: [], publicKey: publicKey)
            return ImportedKey(backingKey: backingKey, path: path)
        case .doesNotUnwrap:
            // A token says the same of junk and when it is not well.
            guard await connection.isHealthy() else { throw KeyStoreError(.unavailable, "the token is not well") }
            throw Self.doesNotUnwrap
        case .incorrect(let reason): throw KeyStoreError(.incorrectMaterial, reason)
        case .failure(let reason): throw KeyStoreError(.internalFailure, reason)
        }
    }

    private func attempt(
        _ plan: Plan, as id: BackingKeyID, with wrappingKey: BackingKeyID
    ) async throws(KeyStoreError) -> TokenImport.Answer {
        let caller = Caller()
        do throws(KeyStoreError) {
            return try await run(.importKey, wrappingKey) {
                [leftovers = connection.leftovers] wrappingKey, session throws(PKCS11Error) in
                try leftovers.whileMaking(id, leavesNothing: \.leavesNothing) { () throws(PKCS11Error) in
                    let attempt = try Self.importKey(plan, with: wrappingKey, in: &session)
                    // Nobody waits for a key that comes too late, and nobody knows of it.
                    if case .kept(let object, _, _) = attempt.answer, !caller.isWaiting {
                        try session.destroyObject(object)
                    }
                    return attempt
                }
            }.answer
        } catch {
            if error.code == .timedOut { caller.leave() }
            throw error
        }
    }

    private static let doesNotUnwrap = KeyStoreError(.invalidCiphertext, "the material does not unwrap")

    /// All of an import but how the wrapping key opens a block, which stands in the key.
    private struct Plan: Sendable {
        let template: KeyTemplate
        let keySpec: KeySpec
        let trial: KeyAlgorithm?
        let scheme: WrappingScheme
        let hash: MechanismHash
        let capabilities: TokenCapabilities
        let block: [UInt8]
        let rest: [UInt8]
    }

    /// Errors: `invalidCiphertext` for what has not even the form: that is public, and never reaches the token.
    private func plan(_ request: KeyImport) throws(KeyStoreError) -> Plan {
        let key = request.key
        let algorithm = request.wrappingKey.wrappingAlgorithm
        guard let form = KeyForm(key.keySpec), let scheme = algorithm.scheme, let hash = Self.hash(of: algorithm),
            let modulus = PublicKeyInfo.modulus(of: request.wrappingKey.publicKey)
        else { throw KeyStoreError(.internalFailure, "the wrapping key is not one of a token") }
        let block = Array(request.wrappedMaterial.prefix(modulus.count))
        let rest = Array(request.wrappedMaterial.dropFirst(modulus.count))
        let hasRest = if case .rsaAESKeyWrap = scheme { true } else { false }
        guard TokenOAEP.hasForm(block, modulus: modulus),
            hasRest ? AESKeyWrap.isWrappedByteCount(rest.count) : rest.isEmpty
        else { throw Self.doesNotUnwrap }
        let capabilities = capabilities
        return Plan(
            template: KeyTemplate(
                form, usages: [key.keyUsage], id: key.id.bytes, label: key.label, onToken: true,
                keyType: capabilities.hmacKeyTypes[key.keySpec]),
            keySpec: key.keySpec, trial: trial(key.keySpec, key.keyUsage), scheme: scheme, hash: hash,
            capabilities: capabilities, block: block, rest: rest)
    }

    private static func importKey(
        _ plan: Plan, with wrappingKey: ObjectHandle, in session: inout Session
    ) throws(PKCS11Error) -> (answer: TokenImport.Answer, leavesNothing: Bool) {
        // The flags that it was made with decide, whatever a later probe found.
        let flags = try session.attributes(of: wrappingKey, [.unwrap, .decrypt])
        let opening: BlockOpening
        if flags.flag(.unwrap) == true {
            opening = .unwrapping
        } else if flags.flag(.decrypt) == true, let method = plan.capabilities.decryptionMethod(plan.hash) {
            opening = .decryption(method)
        } else {
            return (.failure("the wrapping key neither unwraps nor decrypts"), leavesNothing: true)
        }
        let work = TokenImport(
            template: plan.template, keySpec: plan.keySpec, trial: plan.trial, scheme: plan.scheme,
            opener: BlockOpener(hash: plan.hash, opening: opening), capabilities: plan.capabilities,
            block: plan.block, rest: plan.rest)
        let answer = try work.run(with: wrappingKey, in: &session)
        return (answer, leavesNothing: work.leavesNothing(answer))
    }
}
