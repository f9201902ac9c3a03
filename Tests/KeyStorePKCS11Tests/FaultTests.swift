internal import Conformance
internal import KMSModel
internal import KMSTesting
internal import KeyStorePKCS11
internal import KeyStores
internal import SecureMemory
internal import Testing

/// What happens when a token fails: the module in front of SoftHSM returns errors, waits, blocks and lies.
/// Its commands act on the whole process, hence one test after the other.
@Suite(.serialized) struct FaultTests {
    let faults: FaultyTokenFixture

    init() throws {
        faults = try FaultyTokenFixture.shared()
        try faults.command()
    }

    // MARK: PINs

    @Test func `There is one C_Login for one PIN`() async throws {
        let device = try TestDevice.faulty()
        try faults.clearLog()
        for _ in 0..<3 {
            #expect(await failure { _ = try await device.connect(pin: "wrong") }?.code == .invalidCredentials)
        }
        #expect(try logins() == 1)
        try faults.clearLog()
        let store = try await device.connect()
        _ = try await device.connect()
        _ = await failure { _ = try await device.connect(pin: "also wrong") }
        #expect(try logins() == 1)
        #expect(try await store.randomBytes(8).count == 8)
        await device.disconnect()
        await device.disconnect()
    }

    @Test(arguments: [
        ("A0", ConnectionErrorCodeType.invalidCredentials, 1), ("A2", .invalidCredentials, 1),
        ("A4", .userLockedOut, 1), ("102", .userNotFound, 0), ("103", .userNotFound, 0), ("100", .userLoggedIn, 0),
        ("30", .networkErrors, 0), ("32", .networkErrors, 0), ("E0", .networkErrors, 0), ("5", .internalError, 0),
    ])
    func `Each answer to C_Login has its ConnectionErrorCode`(
        _ answer: String, _ code: ConnectionErrorCodeType, _ refusals: Int
    ) async throws {
        let device = try TestDevice.faulty()
        try faults.command("C_Login return \(answer)")
        try faults.clearLog()
        #expect(await failure { _ = try await device.connect() }?.code == code)
        #expect(device.refusals.count == refusals)
        #expect(try logins() == 1)
    }

    @Test func `A PIN that a process died with is not tried again on a token that has refused one`() async throws {
        let device = try TestDevice.faulty()
        await device.refusals.beginLogin(SecretBytes(Array(device.pin.utf8)), device: TestDevice.clusterID)
        try faults.clearLog()
        // CKF_USER_PIN_COUNT_LOW
        try faults.command("C_GetTokenInfo flags 10000")
        for _ in 0..<3 { #expect(await failure { _ = try await device.connect() }?.code == .invalidCredentials) }
        #expect(try logins() == 0 && device.refusals.count == 0)
        // One that has refused nobody is asked, and what it says decides.
        try faults.command()
        try await device.whileConnected { _ in }
        try faults.command("C_GetTokenInfo flags 10000")
        try await device.whileConnected { _ in }
    }

    @Test func `A token that shows one last try is not tried`() async throws {
        let device = try TestDevice.faulty()
        try faults.clearLog()
        // CKF_USER_PIN_FINAL_TRY, then CKF_USER_PIN_LOCKED.
        for flag in ["20000", "40000"] {
            try faults.command("C_GetTokenInfo flags \(flag)")
            #expect(await failure { _ = try await device.connect() }?.code == .userLockedOut)
        }
        #expect(try logins() == 0)
    }

    @Test func `A token with a PIN pad is left alone unless the profile says otherwise`() async throws {
        // CKF_PROTECTED_AUTHENTICATION_PATH.
        let device = try TestDevice.faulty()
        try faults.clearLog()
        try faults.command("C_GetTokenInfo flags 100")
        #expect(await failure { _ = try await device.connect() }?.code == .invalidCredentials)
        #expect(try logins() == 0 && device.refusals.count == 0)
        let other = try TestDevice.faulty { $0.profile.ignoresPINPad = true }
        try faults.command("C_GetTokenInfo flags 100")
        try await other.whileConnected { store async throws in #expect(try await store.randomBytes(8).count == 8) }
    }

    @Test func `A login that does not come back is NETWORK_ERRORS, and is not doubled`() async throws {
        let device = try TestDevice.faulty { $0.profile.connectTimeoutMilliseconds = 4_000 }
        try faults.clearLog()
        try faults.command("C_Login block")
        #expect(await failure { _ = try await device.connect() }?.code == .networkErrors)
        #expect(await failure { _ = try await device.connect() }?.code == .networkErrors)
        #expect(try logins() == 1)
        try faults.command()
        try await device.wait(for: "the first login to end") {
            await failure { _ = try await device.connect() } == nil
        }
        await device.disconnect()
    }

    // MARK: Junk and sickness

    @Test func `Junk never makes the store sick`() async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            let key = try await store.generateKey(ConformanceKeys.request())
            let message = try await store.encrypt(SecretBytes([1, 2, 3]), associatedData: [], with: key)
            var junk = message
            junk.tag[0] ^= 1
            try await withThrowingTaskGroup(of: Void.self) { [junk] group in
                for _ in 0..<100 {
                    group.addTask {
                        let code = await errorCode { _ = try await store.decrypt(junk, associatedData: [], with: key) }
                        #expect(code == .invalidCiphertext)
                    }
                    group.addTask { () async throws in
                        #expect(try await store.decrypt(message, associatedData: [], with: key).revealed == [1, 2, 3])
                    }
                }
                try await group.waitForAll()
            }
            #expect(!device.events.contains(.sick))
        }
    }

    @Test func `A passing device error costs nothing but a second try`() async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            let key = try await store.generateKey(ConformanceKeys.request())
            let message = try await store.encrypt(SecretBytes([1]), associatedData: [], with: key)
            try faults.command("C_Decrypt return 30 times 1")
            #expect(try await store.decrypt(message, associatedData: [], with: key).revealed == [1])
            #expect(!device.events.contains(.sick))
        }
    }

    @Test func `A device error that the canary sees too makes the store unavailable until it passes`() async throws {
        let device = try TestDevice.faulty { $0.profile.recoveryDelayMilliseconds = 20 }
        try await device.whileConnected { store async throws in
            let key = try await store.generateKey(ConformanceKeys.request())
            let message = try await store.encrypt(SecretBytes([1]), associatedData: [], with: key)
            try faults.command("C_DecryptInit return 30", "C_Login return 30")
            #expect(
                await errorCode { _ = try await store.decrypt(message, associatedData: [], with: key) } == .unavailable)
            #expect(device.events.contains(.sick))
            // While it lasts nothing reaches the token.
            #expect(await errorCode { _ = try await store.randomBytes(8) } == .unavailable)
            guard case .unavailable? = await device.devices.health(TestDevice.clusterID) else {
                Issue.record("a sick token is reported as well")
                return
            }
            try faults.command()
            try await device.wait(for: "recovery") { device.events.contains(.recovered) }
            #expect(try await store.decrypt(message, associatedData: [], with: key).revealed == [1])
        }
    }

    @Test func `The canary notices a dead token that nobody works with`() async throws {
        let device = try TestDevice.faulty {
            $0.profile.canaryIntervalMilliseconds = 20
            $0.profile.recoveryDelayMilliseconds = 20
        }
        try await device.whileConnected { store async throws in
            try faults.command("C_DecryptInit return 32 times 3")
            try await device.wait(for: "sickness") { device.events.contains(.sick) }
            try await device.wait(for: "recovery") { device.events.contains(.recovered) }
            #expect(try await store.randomBytes(8).count == 8)
        }
    }

    @Test func `Lost sessions are replaced without anybody noticing`() async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            let key = try await store.generateKey(ConformanceKeys.request())
            // CKR_SESSION_HANDLE_INVALID once.
            try faults.command("C_EncryptInit return B3 times 1")
            let message = try await store.encrypt(SecretBytes([4]), associatedData: [], with: key)
            #expect(try await store.decrypt(message, associatedData: [], with: key).revealed == [4])
        }
    }

    @Test(arguments: ["C_EncryptInit logout", "C_EncryptInit drop-sessions"])
    func `A lost login costs callers a moment and no error`(_ loss: String) async throws {
        let device = try TestDevice.faulty { $0.profile.recoveryDelayMilliseconds = 20 }
        try await device.whileConnected { store async throws in
            let key = try await store.generateKey(ConformanceKeys.request())
            try faults.command(loss)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    group.addTask { () async throws in
                        let plaintext = SecretBytes([UInt8(number)])
                        let message = try await store.encrypt(plaintext, associatedData: [], with: key)
                        let opened = try await store.decrypt(message, associatedData: [], with: key)
                        #expect(opened.revealed == plaintext.revealed)
                    }
                }
                try await group.waitForAll()
            }
            // What had not begun is begun after recovery, also what must not be done twice. Work goes on before it is
            // told.
            _ = try await store.generateKey(ConformanceKeys.request())
            try await device.wait(for: "recovery") { device.events.contains(.recovered) }
        }
    }

    @Test func `Why a new login fails is told once`() async throws {
        let device = try TestDevice.faulty { $0.profile.recoveryDelayMilliseconds = 10 }
        try await device.whileConnected { store async throws in
            try faults.command("C_DecryptInit return 30", "C_Login return 30")
            _ = await errorCode { try await junk(store) }
            try faults.clearLog()
            try await device.wait(for: "some attempts") { try logins() > 3 }
            try faults.command()
            try await device.wait(for: "recovery") { device.events.contains(.recovered) }
            let told = device.events.all.filter { $0.kind == .stillSick }
            #expect(told.count == 1)
            #expect(told.first?.message.contains("C_Login") == true)
        }
    }

    @Test func `A copy that is gone is replaced by its original`() async throws {
        let device = try TestDevice.faulty { $0.profile.sessionCopies = true }
        try await device.whileConnected { store async throws in
            let key = try await store.generateKey(ConformanceKeys.request())
            // CKR_OBJECT_HANDLE_INVALID for the copy, once.
            try faults.command("C_EncryptInit return 82 times 1")
            let message = try await store.encrypt(SecretBytes([4]), associatedData: [], with: key)
            #expect(try await store.decrypt(message, associatedData: [], with: key).revealed == [4])
            // Then for the original, once: the token is asked for the key, and has it.
            try faults.command("C_EncryptInit return 82 times 1")
            _ = try await store.encrypt(SecretBytes([4]), associatedData: [], with: key)
            #expect(try await store.decrypt(message, associatedData: [], with: key).revealed == [4])
            #expect(!device.events.contains(.sick))
        }
    }

    @Test func `Recovery stops at a PIN that is refused`() async throws {
        let device = try TestDevice.faulty { $0.profile.recoveryDelayMilliseconds = 10 }
        try await device.whileConnected { store async throws in
            try faults.command("C_DecryptInit return 30", "C_Login return A0")
            try faults.clearLog()
            // No answer of ours: the canary is asked, and fails.
            try await device.wait(for: "the end of recovery") {
                _ = await errorCode { try await junk(store) }
                return device.events.contains(.gaveUp)
            }
            try await device.wait(for: "the refusal to be remembered") { device.refusals.count == 1 }
            #expect(try logins() == 1)
            try faults.command()
            #expect(await errorCode { _ = try await store.randomBytes(8) } == .unavailable)
        }
    }

    @Test func `A wrong new PIN costs one attempt, and the old one goes on`() async throws {
        let device = try TestDevice.faulty { $0.profile.recoveryDelayMilliseconds = 10 }
        try await device.whileConnected { store async throws in
            await device.devices.renewPassword(TestDevice.clusterID, SecretBytes(Array("wrong".utf8)))
            try faults.command("C_DecryptInit return 30")
            try await device.wait(for: "the wrong PIN to be refused") {
                _ = await errorCode { try await junk(store) }
                return device.refusals.count == 1
            }
            try faults.command()
            try await device.wait(for: "recovery") { device.events.contains(.recovered) }
            #expect(device.refusals.count == 1)
            #expect(!device.events.contains(.gaveUp))
            #expect(try await store.randomBytes(8).count == 8)
        }
    }

    @Test func `Recovery goes on with another PIN, and tries no refused one again`() async throws {
        let device = try TestDevice.faulty {
            $0.profile.recoveryDelayMilliseconds = 10
            $0.profile.canaryIntervalMilliseconds = 20
        }
        try await device.whileConnected { store async throws in
            try faults.command("C_DecryptInit return 30", "C_Login return A0")
            try await device.wait(for: "the end of recovery") {
                _ = await errorCode { try await junk(store) }
                return device.events.contains(.gaveUp)
            }
            try await device.wait(for: "the refusal to be remembered") { device.refusals.count == 1 }
            try faults.clearLog()
            try faults.command()
            // The same again is not another.
            await device.devices.renewPassword(TestDevice.clusterID, SecretBytes(Array(device.pin.utf8)))
            try await Task.sleep(for: .milliseconds(100))
            #expect(try logins() == 0)
            // Another is asked about once. It is wrong too.
            await device.devices.renewPassword(TestDevice.clusterID, SecretBytes(Array("another".utf8)))
            try await device.wait(for: "the new PIN to be refused") { device.refusals.count == 2 }
            #expect(try logins() == 1)
        }
    }

    // MARK: Time

    @Test func `A call that never returns is answered in time and its thread given up`() async throws {
        let device = try TestDevice.faulty {
            $0.profile.callTimeoutMilliseconds = 200
            $0.profile.maxSessions = 2
        }
        try await device.whileConnected { store async throws in
            try faults.command("C_GenerateRandom block times 1")
            #expect(await errorCode { _ = try await store.randomBytes(8) } == .timedOut)
            try await device.wait(for: "the report") { device.events.contains(.stuckCall) }
            // The others go on.
            let key = try await store.generateKey(ConformanceKeys.request())
            _ = try await store.encrypt(SecretBytes([4]), associatedData: [], with: key)
            try faults.command()
            #expect(try await store.randomBytes(8).count == 8)
        }
    }

    @Test func `Past the limit of lost threads the store is unavailable until they come back`() async throws {
        let device = try TestDevice.faulty {
            $0.profile.callTimeoutMilliseconds = 100
            $0.profile.maxSessions = 1
            $0.profile.stuckCallLimit = 2
        }
        try await device.whileConnected { store async throws in
            try faults.command("C_GenerateRandom block")
            for _ in 0..<2 { #expect(await errorCode { _ = try await store.randomBytes(8) } == .timedOut) }
            try await device.wait(for: "the store to stop") {
                await errorCode { _ = try await store.randomBytes(8) } == .unavailable
            }
            try faults.command()
            try await device.wait(for: "the threads to come back") {
                await errorCode { _ = try await store.randomBytes(8) } == nil
            }
        }
    }

    @Test func `A full queue answers overloaded`() async throws {
        let device = try TestDevice.faulty {
            $0.profile.maxSessions = 1
            $0.profile.queueLimit = 4
        }
        try await device.whileConnected { store async throws in
            try faults.command("C_GenerateRandom block")
            try faults.clearLog()
            let first = Task { await errorCode { _ = try await store.randomBytes(8) } }
            try await device.wait(for: "the first call to block") { try faults.calls().contains("C_GenerateRandom") }
            let codes = await withTaskGroup(of: KeyStoreError.Code?.self) { group in
                for _ in 0..<20 { group.addTask { await errorCode { _ = try await store.randomBytes(8) } } }
                var codes: [KeyStoreError.Code?] = []
                for await code in group {
                    codes.append(code)
                    // Four wait; everybody else has been answered.
                    if codes.count == 16 { try? faults.command() }
                }
                return codes
            }
            #expect(codes.prefix(16).allSatisfy { $0 == .overloaded })
            #expect(codes.suffix(4).allSatisfy { $0 == nil })
            #expect(await first.value == nil)
        }
    }

    // MARK: Read-back

    @Test(arguments: ["103 0", "162 1", "106 1", "1 0"])
    func `A key that is not what was asked for is destroyed`(_ lie: String) async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            try faults.command("C_GetAttributeValue lie \(lie)")
            let request = ConformanceKeys.request()
            #expect(await errorCode { _ = try await store.generateKey(request) } == .internalFailure)
            try faults.command()
            #expect(try await store.inventory()?.isEmpty == true)
            #expect(try faults.calls().last { $0 == "C_DestroyObject" } != nil)
        }
    }

    @Test func `An error while reading back destroys the key too`() async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            try faults.command("C_GetAttributeValue return 5 times 1")
            #expect(await errorCode { _ = try await store.generateKey(ConformanceKeys.request()) } == .internalFailure)
            #expect(try await store.inventory()?.isEmpty == true)
        }
    }

    @Test func `A key that cannot be brought to the disk is not acknowledged`() async throws {
        let device = try TestDevice.faulty { $0.profile.syncDirectory = "/nowhere" }
        try await device.whileConnected { store async throws in
            #expect(await errorCode { _ = try await store.generateKey(ConformanceKeys.request()) } == .internalFailure)
        }
    }

    @Test func `No key is ever touched by C_SetAttributeValue`() async throws {
        let device = try TestDevice.faulty { $0.profile.sessionCopies = true }
        try faults.clearLog()
        try await device.whileConnected { store async throws in
            for check in [KeyStoreConformance.destroysForGood, .returnsEveryPlaintext] {
                let outcome = try await check.run(on: store)
                #expect(outcome == .passed)
            }
        }
        let calls = try faults.calls()
        #expect(calls.contains("C_GenerateKey"))
        #expect(!calls.contains("C_SetAttributeValue"))
    }

    @Test func `No request searches for its key`() async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            let key = try await store.generateKey(ConformanceKeys.request())
            _ = try await store.encrypt(SecretBytes([4]), associatedData: [], with: key)
            try faults.clearLog()
            for _ in 0..<10 { _ = try await store.encrypt(SecretBytes([4]), associatedData: [], with: key) }
            let calls = try faults.calls()
            #expect(calls.filter { $0 == "C_Encrypt" }.count == 10)
            #expect(!calls.contains { $0.hasPrefix("C_FindObjects") || $0 == "C_Login" })
        }
    }

    private func logins() throws -> Int {
        try faults.calls().filter { $0 == "C_Login" }.count
    }

    /// Something that fails suspiciously.
    private func junk(_ store: any KeyStore) async throws {
        let key = try await store.generateKey(ConformanceKeys.request())
        let message = try await store.encrypt(SecretBytes([1]), associatedData: [], with: key)
        _ = try await store.decrypt(message, associatedData: [], with: key)
    }
}
