internal import Cryptography
internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory

/// Looks for an object, reads it, and tries it in every way that its KMS key would promise. Makes nothing and changes
/// nothing on the token.
struct AdoptionExamination: Sendable {
    struct Fit: Sendable {
        let object: ObjectHandle
        let name: TokenObjectName
        let keySpec: KeySpec
        let keyUsage: KeyUsageType
        /// DER SubjectPublicKeyInfo of a key pair.
        let publicKey: [UInt8]?
        let values: AttributeValues
    }

    let selector: ObjectSelector
    let keyUsage: KeyUsageType?
    let capabilities: TokenCapabilities
    let sealing: GCMSealing

    func run(in session: inout Session) throws(PKCS11Error) -> Result<Fit, AdoptionRefusal> {
        let candidates = try candidates(in: &session)
        if let refusal = refusal(of: candidates) { return .failure(refusal) }
        let (object, values) = candidates.keys[0]
        let (keySpec, keyUsage, name): (KeySpec, KeyUsageType, TokenObjectName)
        do throws(AdoptionRefusal) {
            (keySpec, keyUsage, name) = try judge(values)
        } catch {
            return .failure(error)
        }
        let twins = try TokenSweep.run(in: &session, only: .adopted(name))
        guard twins.names[name] != nil else {
            return .failure(
                AdoptionRefusal("several keys of its class and type have \(name): nobody could tell them apart"))
        }
        let publicKey: [UInt8]?
        switch try tryOut(object, name, values, keySpec, keyUsage, in: &session) {
        case .success(let found): publicKey = found
        case .failure(let refusal): return .failure(refusal)
        }
        return .success(
            Fit(
                object: object, name: name, keySpec: keySpec, keyUsage: keyUsage, publicKey: publicKey, values: values))
    }

    // MARK: Finding and judging

    private typealias Candidates = (keys: [(ObjectHandle, AttributeValues)], others: [ObjectClass])

    /// The secret and private keys that are meant, and the classes of whatever else has the same name.
    private func candidates(in session: inout Session) throws(PKCS11Error) -> Candidates {
        var template: [Attribute] = [.flag(.token, true)]
        if let label = selector.label { template.append(.label(label)) }
        if let id = selector.id { template.append(.id(id)) }
        var candidates: Candidates = ([], [])
        for object in try session.findObjects(template) {
            let values = try session.attributes(of: object, AdoptionRules.attributes)
            switch values.number(.objectClass).map(ObjectClass.init) {
            case .secretKey, .privateKey: candidates.keys.append((object, values))
            case let other?: candidates.others.append(other)
            case nil: continue
            }
        }
        return candidates
    }

    private func refusal(of candidates: Candidates) -> AdoptionRefusal? {
        switch candidates.keys.count {
        case 1: return nil
        case 0:
            let others = Set(candidates.others.map(\.description)).sorted().joined(separator: ", ")
            return AdoptionRefusal(
                "the token has no secret or private key with \(selector)"
                    + (others.isEmpty ? "" : ", only \(others)"))
        case let count:
            return AdoptionRefusal("\(count) secret and private keys on the token have \(selector)")
        }
    }

    private func judge(
        _ values: AttributeValues
    ) throws(AdoptionRefusal) -> (KeySpec, KeyUsageType, TokenObjectName) {
        guard values.bytes(.id) != Canary.id else {
            throw AdoptionRefusal("it is the key by which the server watches over the token")
        }
        let keySpec = try AdoptionRules.keySpec(of: values)
        let usage = try AdoptionRules.usage(keyUsage, of: keySpec)
        try AdoptionRules.requireSafety(values)
        try AdoptionRules.requireFlags(of: values, usage, keySpec)
        if let refusal = capabilities.refusal(of: keySpec, usage: usage) {
            throw AdoptionRefusal("\(keySpec.rawValue) with \(usage.rawValue) is not offered on this token: \(refusal)")
        }
        guard let name = TokenObjectName(values) else {
            throw AdoptionRefusal("it has neither a CKA_ID nor a CKA_LABEL to be known by")
        }
        return (keySpec, usage, name)
    }

    // MARK: Trying out

    /// - Returns: the public key of a pair.
    private func tryOut(
        _ object: ObjectHandle, _ name: TokenObjectName, _ values: AttributeValues, _ keySpec: KeySpec,
        _ usage: KeyUsageType, in session: inout Session
    ) throws(PKCS11Error) -> Result<[UInt8]?, AdoptionRefusal> {
        guard let form = KeyForm(keySpec) else { return .failure(AdoptionRefusal(KeyForm.absence(of: keySpec))) }
        do throws(PKCS11Error) {
            switch form {
            case .aes256:
                return try trySealing(object, in: &session).map { .failure(AdoptionRefusal($0)) } ?? .success(nil)
            case .hmac(let hash):
                return try tryMAC(hash, object, in: &session).map { .failure(AdoptionRefusal($0)) } ?? .success(nil)
            case .rsa, .ec, .ed25519:
                return try tryPair(object, name, values, keySpec, form, usage, in: &session)
            }
        } catch {
            // The key's own limits. What is the token's fault goes the way of all its errors.
            switch error.returnValue {
            case .mechanismInvalid, .mechanismParamInvalid, .keyFunctionNotPermitted, .keyTypeInconsistent,
                .keySizeRange, .functionNotSupported:
                let count = AdoptionRules.allowedMechanismCount(values)
                return .failure(
                    AdoptionRefusal(
                        "it does not do what its KMS key would promise: \(error)"
                            + (count == 0 ? "" : "; CKA_ALLOWED_MECHANISMS allows \(count) mechanisms only")))
            default: throw error
            }
        }
    }

    private static let message = SecretBytes(copying: Array("a message that strongroom tries a key with".utf8).span)

    private func trySealing(_ key: ObjectHandle, in session: inout Session) throws(PKCS11Error) -> String? {
        let associatedData = Array("associated data".utf8)
        switch try sealing.seal(Self.message, associatedData: associatedData, key: key, in: &session) {
        case .breach(let breach): return breach.rawValue
        case .message(let sealed):
            let opened = try sealing.open(sealed, associatedData: associatedData, key: key, in: &session)
            let isRight = opened.withBytes { opened in
                Self.message.withBytes { constantTimeEquals(opened, $0) }
            }
            guard isRight else { return "it does not decrypt what it encrypted" }
        }
        let block = try FingerprintBlock.encrypt(under: key, in: &session)
        return block.count == FingerprintBlock.bytes.count ? nil : "AES-ECB of one block gives \(block.count) bytes"
    }

    private func tryMAC(
        _ hash: MechanismHash, _ key: ObjectHandle, in session: inout Session
    ) throws(PKCS11Error) -> String? {
        let code = try Self.message.withBytes { message throws(PKCS11Error) in
            try session.sign(message, .hmac(hash: hash), key: key)
        }
        return code.count == hash.byteCount ? nil : "its MAC has \(code.count) bytes"
    }

    private func tryPair(
        _ key: ObjectHandle, _ name: TokenObjectName, _ values: AttributeValues, _ keySpec: KeySpec, _ form: KeyForm,
        _ usage: KeyUsageType, in session: inout Session
    ) throws(PKCS11Error) -> Result<[UInt8]?, AdoptionRefusal> {
        if case .rsa = form, let exponent = values.bytes(.publicExponent),
            Array(exponent.drop { $0 == 0 }) != [1, 0, 1]
        {
            return .failure(AdoptionRefusal("its public exponent is not 65537"))
        }
        var objection = "its public key is neither on the token nor among its own attributes"
        for info in try publicKeys(name, values, form, in: &session) {
            guard let found = try self.objection(to: key, info, keySpec, form, usage, in: &session) else {
                return .success(info)
            }
            objection = found
        }
        return .failure(AdoptionRefusal(objection))
    }

    /// From public key objects with the same name, and from the private key itself.
    private func publicKeys(
        _ name: TokenObjectName, _ values: AttributeValues, _ form: KeyForm, in session: inout Session
    ) throws(PKCS11Error) -> [[UInt8]] {
        let template: [Attribute] = [
            .objectClass(.publicKey), .keyType(name.keyType),
            name.id.isEmpty ? .bytes(.label, name.label) : .id(name.id),
        ]
        var found: [[UInt8]] = []
        for object in try session.findObjects(template) {
            let values = try session.attributes(of: object, PublicKeyInfo.attributes)
            if let info = PublicKeyInfo.encode(values, as: form) { found.append(info) }
        }
        if let info = PublicKeyInfo.encode(values, as: form) { found.append(info) }
        return found
    }

    /// Everything that DescribeKey will list is tried.
    private func objection(
        to key: ObjectHandle, _ info: [UInt8], _ keySpec: KeySpec, _ form: KeyForm, _ usage: KeyUsageType,
        in session: inout Session
    ) throws(PKCS11Error) -> String? {
        let publicKey: PublicKey
        do {
            publicKey = try KeyTrial.publicKey(info, keySpec)
        } catch {
            return "its public key is not valid: \(error)"
        }
        let trial = KeyTrial(form: form, publicKey: publicKey, pointEncoding: capabilities.pointEncoding)
        for algorithm in keySpec.algorithms(for: usage)
        where capabilities.refusal(of: algorithm, keySpec: keySpec) == nil {
            var method = TokenOAEP.Method.token
            if case .encryption(let encryption) = algorithm { method = capabilities.oaepMethods[encryption] ?? .token }
            if let objection = try trial.run(algorithm, oaep: method, with: key, in: &session) {
                return "its public key does not belong to it, or it does not work: \(objection)"
            }
        }
        return nil
    }
}
