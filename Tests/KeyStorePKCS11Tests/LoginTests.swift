internal import Conformance
internal import Foundation
internal import KMSModel
internal import KMSTesting
internal import KeyStorePKCS11
internal import KeyStores
internal import PKCS11
internal import SecureMemory
internal import Testing

/// Logins to SoftHSM: who may, how often, and what DescribeCustomKeyStores shows when it fails.
@Suite struct LoginTests {
    @Test func `Keys are found again after the login has ended`() async throws {
        let device = try TestDevice.softHSM()
        let (key, message, fingerprint) = try await device.whileConnected { store async throws in
            let key = try await store.generateKey(ConformanceKeys.request())
            let message = try await store.encrypt(SecretBytes([1, 2, 3]), associatedData: [7], with: key)
            return (key, message, try await store.fingerprint(of: key).revealed)
        }
        try await device.whileConnected { store async throws in
            #expect(try await store.decrypt(message, associatedData: [7], with: key).revealed == [1, 2, 3])
            #expect(try await store.fingerprint(of: key).revealed == fingerprint)
            #expect(try await store.inventory()?.map(\.id) == [key.id])
        }
    }

    @Test func `A store whose login has ended is unavailable`() async throws {
        let device = try TestDevice.softHSM()
        let store = try await device.connect()
        await device.disconnect()
        #expect(await errorCode { _ = try await store.randomBytes(8) } == .unavailable)
        #expect(await device.devices.health(TestDevice.clusterID) == .notConnected)
    }

    @Test func `Two users share one login until the second has gone`() async throws {
        let device = try TestDevice.softHSM()
        let first = try await device.connect()
        let second = try await device.connect()
        let key = try await first.generateKey(ConformanceKeys.request())
        let message = try await second.encrypt(SecretBytes([5]), associatedData: [], with: key)
        await device.disconnect()
        #expect(try await first.decrypt(message, associatedData: [], with: key).revealed == [5])
        #expect(try await second.decrypt(message, associatedData: [], with: key).revealed == [5])
        await device.disconnect()
        #expect(await errorCode { _ = try await first.randomBytes(8) } == .unavailable)
        // One too many does no harm.
        await device.disconnect()
    }

    @Test func `A second user with another password is refused without asking the token`() async throws {
        let device = try TestDevice.softHSM()
        try await device.whileConnected { store async throws in
            for wrong in ["wrong", device.pin + "x", String(device.pin.dropLast())] {
                let failure = await failure { _ = try await device.connect(pin: wrong) }
                #expect(failure?.code == .invalidCredentials)
            }
            #expect(device.refusals.count == 0)
            #expect(try await store.randomBytes(8).count == 8)
        }
    }

    @Test func `A wrong PIN is INVALID_CREDENTIALS and is remembered`() async throws {
        let device = try TestDevice.softHSM()
        for _ in 0..<3 {
            let failure = await failure { _ = try await device.connect(pin: "wrong") }
            #expect(failure?.code == .invalidCredentials)
        }
        #expect(device.refusals.count == 1)
        // The right one still works.
        try await device.whileConnected { _ in }
    }

    @Test func `An empty PIN and no PIN are INVALID_CREDENTIALS`() async throws {
        let device = try TestDevice.softHSM()
        #expect(await failure { _ = try await device.connect(pin: "") }?.code == .invalidCredentials)
        let without = await failure {
            _ = try await device.devices.connect(TestDevice.clusterID, password: nil, refusals: device.refusals)
        }
        #expect(without?.code == .invalidCredentials)
        #expect(device.refusals.count == 0)
    }

    @Test func `A token without a user PIN is USER_NOT_FOUND`() async throws {
        _ = try SoftHSMFixture.shared()
        let device = try TestDevice.softHSM { $0.token = .label(SoftHSMFixture.labelWithoutUserPIN) }
        #expect(await failure { _ = try await device.connect(pin: "anything") }?.code == .userNotFound)
        #expect(device.refusals.count == 0)
    }

    @Test func `A token that is not there is CLUSTER_NOT_FOUND`() async throws {
        let label = try TestDevice.softHSM { $0.token = .label("no such token") }
        #expect(await failure { _ = try await label.connect() }?.code == .clusterNotFound)
        let serial = try TestDevice.softHSM { $0.token = .serialNumber("0000000000000000") }
        #expect(await failure { _ = try await serial.connect() }?.code == .clusterNotFound)
    }

    @Test func `A device that is not configured is CLUSTER_NOT_FOUND`() async throws {
        let device = try TestDevice.softHSM()
        #expect(device.devices.device("cluster-zzzzzzzzzzz") == nil)
        let failure = await failure {
            _ = try await device.devices.connect("cluster-zzzzzzzzzzz", password: nil, refusals: device.refusals)
        }
        #expect(failure?.code == .clusterNotFound)
    }

    @Test func `A missing module file is CLUSTER_NOT_FOUND and another file INTERNAL_ERROR`() async throws {
        let missing = try TestDevice.softHSM { $0.modulePath = "/nowhere/libtoken.so" }
        let failure = await failure { _ = try await missing.connect() }
        #expect(failure?.code == .clusterNotFound)
        #expect(failure?.reason.contains("/nowhere/libtoken.so") == true)
        let text = try TestDevice.softHSM { $0.modulePath = "/etc/passwd" }
        #expect(await KeyStorePKCS11Tests.failure { _ = try await text.connect() }?.code == .internalError)
        // A library that loads, and is no PKCS#11 module.
        let name = try #require(
            ["/lib/x86_64-linux-gnu/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6"]
                .first { FileManager.default.fileExists(atPath: $0) })
        let library = try TestDevice.softHSM { $0.modulePath = name }
        #expect(await KeyStorePKCS11Tests.failure { _ = try await library.connect() }?.code == .internalError)
    }

    @Test func `Many users connect and disconnect at once`() async throws {
        let device = try TestDevice.softHSM()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await device.whileConnected { store async throws in _ = try await store.randomBytes(16) }
                }
            }
            try await group.waitForAll()
        }
        #expect(await device.devices.health(TestDevice.clusterID) == .notConnected)
    }

    @Test func `The PIN of a PIN file is used when no password is given`() async throws {
        let directory = try TestDirectory("pin-file")
        let token = try SoftHSMFixture.shared().takeToken()
        let file = try directory.write(token.pin + "\n", to: "pin")
        let configuration = TokenDeviceConfiguration(
            clusterID: TestDevice.clusterID, modulePath: SoftHSMFixture.modulePath, token: .label(token.label),
            pin: .file(file))
        let device = try TestDevice(configuration, pin: token.pin)
        let store = try await device.devices.connect(TestDevice.clusterID, password: nil, refusals: device.refusals)
        #expect(try await store.randomBytes(8).count == 8)
        await device.disconnect()
    }

    @Test func `The user name goes before the password where the device wants it`() async throws {
        let token = try SoftHSMFixture.shared().takeToken()
        // This token's PIN is "pin-of-N"; with a user name it is another one, and refused.
        let device = try TestDevice(
            TokenDeviceConfiguration(
                clusterID: TestDevice.clusterID, modulePath: SoftHSMFixture.modulePath, token: .label(token.label),
                userName: "kmsuser"), pin: token.pin)
        #expect(await failure { _ = try await device.connect() }?.code == .invalidCredentials)
        #expect(
            device.refusals.isRefused(SecretBytes(Array("kmsuser:\(token.pin)".utf8)), device: TestDevice.clusterID))
    }

    @Test func `The probe tells what the token does`() async throws {
        let device = try TestDevice.softHSM()
        try await device.whileConnected { store async throws in
            let capabilities = try #require(await device.devices.capabilities(TestDevice.clusterID))
            for (need, finding) in capabilities.findings {
                switch need {
                case .algorithm(.signing(.ed25519PhSha512), _): continue
                // SoftHSM does not tell the length of a secret that it unwrapped: such secrets go in through host
                // memory.
                case .unwrapping(let keySpec) where keySpec.keyPairKind == nil:
                    #expect(finding == .no("CKA_VALUE_LEN is 0"), "\(need)")
                default: #expect(finding == .yes, "\(need)")
                }
            }
            #expect(capabilities.findings.count > 40)
            #expect(capabilities.badTagReturnValue == .generalError)
            #expect(capabilities.importsSecretKeys)
            #expect(store.refusal(of: .symmetricDefault, usage: .encryptDecrypt) == nil)
            #expect(store.refusal(of: .mlDsa65, usage: .signVerify)?.contains("ML-DSA") == true)
        }
    }

    @Test func `A profile that expects IVs of the token is not believed on SoftHSM`() async throws {
        let device = try TestDevice.softHSM { $0.profile.gcmIV = .zeroBufferOut }
        try await device.whileConnected { store async throws in
            #expect(store.refusal(of: .symmetricDefault, usage: .encryptDecrypt)?.contains("zero") == true)
            let error = await errorCode { _ = try await store.generateKey(ConformanceKeys.request()) }
            #expect(error == .unsupportedAlgorithm)
            #expect(try await store.randomBytes(8).count == 8)
        }
    }
}
