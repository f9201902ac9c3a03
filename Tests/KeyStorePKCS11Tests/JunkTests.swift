internal import Conformance
internal import Cryptography
internal import Foundation
internal import KMSModel
internal import KeyStorePKCS11
internal import KeyStores
internal import SecureMemory
internal import Synchronization
internal import Testing

/// What a client that sends nothing but junk can do to the others: nothing.
struct JunkLoad: Sendable {
    /// 10,000 unless STRONGROOM_JUNK_COUNT says otherwise.
    static let count =
        ProcessInfo.processInfo.environment["STRONGROOM_JUNK_COUNT"].flatMap(Int.init) ?? 10_000
    private static let lanes = 4

    let store: any KeyStore
    private let symmetric: BackingKey
    private let pair: BackingKey
    private let mac: BackingKey
    private let message: SealedMessage
    private let ciphertexts: [(algorithm: EncryptionAlgorithmSpec, bytes: [UInt8])]
    private let code: [UInt8]

    private static let plaintext: [UInt8] = Array(1...32)

    init(_ store: any KeyStore) async throws {
        self.store = store
        symmetric = try await store.generateKey(ConformanceKeys.request())
        pair = try await store.generateKey(ConformanceKeys.request(.rsa2048, .encryptDecrypt))
        mac = try await store.generateKey(ConformanceKeys.request(.hmac256, .generateVerifyMac))
        message = try await store.encrypt(SecretBytes(Self.plaintext), associatedData: [1], with: symmetric)
        code = try await store.authenticate(SecretBytes(Self.plaintext), algorithm: .hmacSha256, with: mac)
        let publicKey = try PublicKey(spki: #require(pair.publicKey), kind: .rsa2048)
        ciphertexts = [
            (.rsaesOaepSha1, try publicKey.encrypt(Self.plaintext.span, .rsaOAEP(.sha1))),
            (.rsaesOaepSha256, try publicKey.encrypt(Self.plaintext.span, .rsaOAEP(.sha256))),
        ]
    }

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<Self.lanes {
                group.addTask {
                    for number in stride(from: lane, to: Self.count, by: Self.lanes) {
                        try await junk(number)
                        if number % 8 < Self.lanes { try await good(number / 8) }
                    }
                }
            }
            try await group.waitForAll()
        }
        for key in [symmetric, pair, mac] { try await store.destroyKey(key.id) }
    }

    private func junk(_ number: Int) async throws {
        // RSA costs a hundred times the others.
        if number.isMultiple(of: 5) {
            let (algorithm, good) = ciphertexts[number / 5 % 2]
            var bytes = good
            bytes[1 + number % (bytes.count - 1)] ^= UInt8(1 + number % 255)
            let ciphertext = bytes
            #expect(
                await errorCode { _ = try await store.decrypt(ciphertext, algorithm: algorithm, with: pair) }
                    == .invalidCiphertext)
        } else if number.isMultiple(of: 2) {
            var sealed = message
            sealed.tag[number % 16] ^= UInt8(1 + number % 255)
            let forged = sealed
            #expect(
                await errorCode { _ = try await store.decrypt(forged, associatedData: [1], with: symmetric) }
                    == .invalidCiphertext)
        } else {
            // VerifyMac with junk is a MAC that is compared here.
            let other = SecretBytes(Array("junk \(number)".utf8))
            let made = try await store.authenticate(other, algorithm: .hmacSha256, with: mac)
            #expect(made != code)
        }
    }

    private func good(_ number: Int) async throws {
        switch number % 8 {
        case 0:
            let (algorithm, bytes) = ciphertexts[number / 8 % 2]
            let plaintext = try await store.decrypt(bytes, algorithm: algorithm, with: pair)
            #expect(plaintext.revealed == Self.plaintext)
        case 1, 2, 3, 4:
            let plaintext = try await store.decrypt(message, associatedData: [1], with: symmetric)
            #expect(plaintext.revealed == Self.plaintext)
        default:
            let made = try await store.authenticate(SecretBytes(Self.plaintext), algorithm: .hmacSha256, with: mac)
            #expect(made == code)
        }
    }

    /// Neither sickness nor recovery, nor anything else after the login.
    static func expectCalm(_ events: EventList) {
        for kind in [TokenEvent.Kind.sick, .recovered, .gaveUp, .stuckCall] { #expect(!events.contains(kind)) }
    }
}

@Suite struct JunkTests {
    @Test func `Junk among good calls on SoftHSM`() async throws {
        let device = try TestDevice.softHSM()
        try await device.whileConnected { store async throws in
            try await JunkLoad(store).run()
        }
        JunkLoad.expectCalm(device.events)
    }
}
