internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory

/// How long the token takes for one operation after the other, with session keys.
struct LatencyProbe: Sendable {
    /// External key stores of AWS have to answer within this time (KMS Developer Guide, "External key stores").
    static let budgetMicroseconds = 250_000

    private static let rounds = 100
    /// A slow device is not kept busy for longer.
    private static let longestMeasurement = Duration.seconds(2)

    let slot: Slot
    let epoch: LoginEpoch
    let sealing: GCMSealing

    func run(_ capabilities: TokenCapabilities) throws(PKCS11Error) -> [TokenExamination.Latency] {
        var latencies: [TokenExamination.Latency] = []
        func add(
            _ name: String, _ needs: [TokenCapabilities.Need],
            _ prepare: (inout Session) throws(PKCS11Error) -> (inout Session) throws(PKCS11Error) -> Void
        ) throws(PKCS11Error) {
            guard capabilities.refusal(of: needs) == nil else { return }
            var session = try slot.openSession(epoch: epoch)
            let operation = try prepare(&session)
            latencies.append(try Self.measure(name, &session, operation))
        }
        let plaintext = SecretBytes(copying: [UInt8](repeating: 7, count: 32).span)
        let digest = [UInt8](repeating: 7, count: 32)
        try add("random, 32 bytes", [.random]) { _ throws(PKCS11Error) in
            { session throws(PKCS11Error) in _ = try session.generateRandom(32) }
        }
        try add("AES-256-GCM, encrypt 32 bytes", [.gcm]) { session throws(PKCS11Error) in
            let key = try Self.key(.aes256, .encryptDecrypt, &session)
            return { session throws(PKCS11Error) in
                _ = try sealing.seal(plaintext, associatedData: [1], key: key, in: &session)
            }
        }
        try add("AES-256-GCM, decrypt 32 bytes", [.gcm]) { session throws(PKCS11Error) in
            let key = try Self.key(.aes256, .encryptDecrypt, &session)
            guard case .message(let message) = try sealing.seal(plaintext, associatedData: [1], key: key, in: &session)
            else { throw PKCS11Error(.encrypt, .generalError) }
            return { session throws(PKCS11Error) in
                _ = try sealing.open(message, associatedData: [1], key: key, in: &session)
            }
        }
        try add("RSA-2048, sign (PKCS #1)", [.generation(.rsa2048)]) { session throws(PKCS11Error) in
            let key = try Self.key(.rsa(modulusBits: 2048), .signVerify, &session)
            let input = MechanismHash.sha256.digestInfo(digest)
            return { session throws(PKCS11Error) in _ = try session.sign(input.span, .rsaPKCS, key: key) }
        }
        try add("ECDSA P-256, sign", [.generation(.eccNistP256)]) { session throws(PKCS11Error) in
            let key = try Self.key(.ec(.p256), .signVerify, &session)
            return { session throws(PKCS11Error) in _ = try session.sign(digest.span, .ecdsa, key: key) }
        }
        try add("HMAC-SHA-256, 32 bytes", [.algorithm(.mac(.hmacSha256), .hmac256)]) { session throws(PKCS11Error) in
            let key = try Self.key(
                .hmac(.sha256), .generateVerifyMac, &session, keyType: capabilities.hmacKeyTypes[.hmac256])
            return { session throws(PKCS11Error) in
                _ = try session.sign(digest.span, .hmac(hash: .sha256), key: key)
            }
        }
        try add("AES-256, make a key", [.generation(.symmetricDefault)]) { _ throws(PKCS11Error) in
            { session throws(PKCS11Error) in
                let key = try Self.key(.aes256, .encryptDecrypt, &session)
                try session.destroyObject(key)
            }
        }
        return latencies
    }

    private static func key(
        _ form: KeyForm, _ usage: KeyUsageType, _ session: inout Session, keyType: KeyType? = nil
    ) throws(PKCS11Error) -> ObjectHandle {
        switch try KeyMaking.make(CapabilityProbe.template(form, [usage], keyType: keyType), in: &session) {
        case .sound(let key, _): return key
        case .wrong: throw PKCS11Error(.generateKey, .generalError)
        }
    }

    private static func measure(
        _ name: String, _ session: inout Session, _ operation: (inout Session) throws(PKCS11Error) -> Void
    ) throws(PKCS11Error) -> TokenExamination.Latency {
        let clock = ContinuousClock()
        let start = clock.now
        var times: [Duration] = []
        while times.count < rounds, times.isEmpty || clock.now - start < longestMeasurement {
            let before = clock.now
            try operation(&session)
            times.append(clock.now - before)
        }
        times.sort()
        func microseconds(_ share: Double) -> Int {
            let time = times[min(times.count - 1, Int(Double(times.count) * share))]
            return Int(time.components.seconds * 1_000_000 + time.components.attoseconds / 1_000_000_000_000)
        }
        return TokenExamination.Latency(
            operation: name, medianMicroseconds: microseconds(0.5), p99Microseconds: microseconds(0.99))
    }
}
