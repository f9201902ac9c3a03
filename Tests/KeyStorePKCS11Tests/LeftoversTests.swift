internal import Conformance
internal import KMSModel
internal import KMSTesting
internal import KeyStorePKCS11
internal import KeyStores
internal import PKCS11
internal import SecureMemory
internal import Testing

/// Under which names something may be left on a token.
struct LeftoversTests {
    private struct Failure: Error {}

    private let id = ConformanceKeys.request().id
    private let other = ConformanceKeys.request().id

    @Test func `Before the first sweep anything may be there`() {
        let leftovers = Leftovers()
        leftovers.remove(id)
        #expect(leftovers.mayExist(id))
        leftovers.replace(leftovers.settled, with: [other])
        #expect(!leftovers.mayExist(id) && leftovers.mayExist(other))
        // A sweep that could not see everything.
        leftovers.replace(leftovers.settled, with: nil)
        #expect(leftovers.mayExist(id))
    }

    @Test func `What is made is a leftover until its handle is kept`() {
        let leftovers = Leftovers()
        leftovers.replace([], with: [])
        leftovers.whileMaking(id) { #expect(leftovers.isInTheMaking(id) && leftovers.mayExist(id)) }
        #expect(!leftovers.isInTheMaking(id) && leftovers.mayExist(id))
        leftovers.remove(id)
        #expect(!leftovers.mayExist(id))
        #expect(throws: Failure.self) { try leftovers.whileMaking(other) { throw Failure() } }
        #expect(!leftovers.isInTheMaking(other) && leftovers.mayExist(other))
    }

    @Test func `An answer that nothing was made says so of one attempt only`() {
        let leftovers = Leftovers()
        leftovers.replace([], with: [])
        leftovers.whileMaking(id, leavesNothing: { true }) {}
        #expect(!leftovers.mayExist(id))
        leftovers.whileMaking(id, leavesNothing: { false }) {}
        leftovers.whileMaking(id, leavesNothing: { true }) {}
        #expect(leftovers.mayExist(id))
    }

    @Test func `A sweep tells nothing of what is made while it goes on`() {
        let leftovers = Leftovers()
        leftovers.replace([], with: [])
        leftovers.insert(other)
        leftovers.whileMaking(id) {
            let settled = leftovers.settled
            #expect(settled == [other])
            let late = ConformanceKeys.request().id
            leftovers.insert(late)
            leftovers.replace(settled, with: [])
            #expect(leftovers.mayExist(id) && leftovers.mayExist(late) && !leftovers.mayExist(other))
        }
        #expect(leftovers.mayExist(id))
    }
}

extension FaultTests {
    // MARK: What calls have left

    private func searches() throws -> Int { try faults.calls().count { $0 == "C_FindObjectsInit" } }

    @Test func `A key that the token was never asked for is discarded without the token`() async throws {
        let device = try TestDevice.faulty { $0.profile.canaryIntervalMilliseconds = 20 }
        try await device.whileConnected { store async throws in
            try faults.command("* vanish")
            try await device.wait(for: "sickness") { device.events.contains(.sick) }
            let request = ConformanceKeys.request()
            #expect(await errorCode { _ = try await store.generateKey(request) } == .unavailable)
            try await store.discardKey(request.id)
            // Of a key that was there once, only the token knows.
            #expect(await errorCode { try await store.destroyKey(request.id) } == .unavailable)
            try faults.command()
            try await device.wait(for: "recovery") { device.events.contains(.recovered) }
            try faults.clearLog()
            try await store.discardKey(request.id)
            #expect(try searches() == 0)
        }
    }

    /// CKR_DEVICE_ERROR instead of a call, and after it: the object is there, and nobody has its handle.
    @Test(arguments: ["return", "lose"])
    func `What a failed call may have left is searched for once`(_ verb: String) async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            for kind in [KeyKind(.symmetricDefault, .encryptDecrypt), KeyKind(.eccNistP256, .signVerify)] {
                try faults.command("C_GenerateKey,C_GenerateKeyPair \(verb) 30")
                let request = ConformanceKeys.request(kind.keySpec, kind.usage)
                #expect(await errorCode { _ = try await store.generateKey(request) } == .internalFailure)
                try faults.command()
                #expect(try await store.inventory()?.count == (verb == "lose" ? 1 : 0))
                try faults.clearLog()
                try await store.discardKey(request.id)
                try await store.discardKey(request.id)
                #expect(try searches() == 1)
                #expect(try await store.inventory()?.isEmpty == true)
            }
        }
    }

    @Test(arguments: ["return", "lose"])
    func `The sweep of a new login has seen what a failed call left`(_ verb: String) async throws {
        let device = try TestDevice.faulty()
        let requests = [ConformanceKeys.request(), ConformanceKeys.request(.eccNistP256, .signVerify)]
        let codes = try await device.whileConnected { store async throws in
            try faults.command("C_GenerateKey,C_GenerateKeyPair \(verb) 30")
            var codes: [KeyStoreError.Code?] = []
            for request in requests { codes.append(await errorCode { _ = try await store.generateKey(request) }) }
            return codes
        }
        #expect(codes == [.internalFailure, .internalFailure])
        try faults.command()
        let calls = try await device.whileConnected { store async throws in
            try faults.clearLog()
            for request in requests { try await store.discardKey(request.id) }
            let calls = try faults.calls()
            let inventory = try await store.inventory()
            #expect(inventory?.isEmpty == true)
            return calls
        }
        #expect(!calls.contains("C_FindObjectsInit"))
        #expect(calls.count { $0 == "C_DestroyObject" } == (verb == "lose" ? requests.count : 0))
    }

    @Test func `A key is not discarded before the call that makes it has come back`() async throws {
        let device = try TestDevice.faulty { $0.profile.callTimeoutMilliseconds = 300 }
        try await device.whileConnected { store async throws in
            try faults.command("C_GenerateKey block")
            let request = ConformanceKeys.request()
            #expect(await errorCode { _ = try await store.generateKey(request) } == .timedOut)
            #expect(await errorCode { try await store.discardKey(request.id) } == .internalFailure)
            try faults.command()
            try await device.wait(for: "the call to come back") {
                await errorCode { try await store.discardKey(request.id) } == nil
            }
            #expect(try await store.inventory()?.isEmpty == true)
        }
    }

    @Test func `A key that could not be brought to the disk is discarded`() async throws {
        let device = try TestDevice.softHSM { $0.profile.syncDirectory = "/nowhere" }
        try await device.whileConnected { store async throws in
            let request = ConformanceKeys.request()
            #expect(await errorCode { _ = try await store.generateKey(request) } == .internalFailure)
            #expect(try await store.inventory()?.count == 1)
            // Destroyed, but not known to be so by the disk.
            #expect(await errorCode { try await store.discardKey(request.id) } == .internalFailure)
            #expect(try await store.inventory()?.isEmpty == true)
            #expect(await errorCode { try await store.discardKey(request.id) } == .internalFailure)
        }
    }

    /// SoftHSM calls the handle of a private object invalid when the login has ended, as if the object were gone.
    @Test func `A key is not taken for destroyed because the login has ended`() async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            let keys = [ConformanceKeys.request(), ConformanceKeys.request(.eccNistP256, .signVerify)]
            for key in keys { _ = try await store.generateKey(key) }
            for key in keys {
                try faults.command("C_DestroyObject logout times 1")
                #expect(await errorCode { try await store.destroyKey(key.id) } == .unavailable)
                try await device.wait(for: "recovery") { await errorCode { _ = try await store.randomBytes(1) } == nil }
                #expect(try await store.inventory()?.contains { $0.id == key.id } == true)
                try await store.destroyKey(key.id)
                #expect(try await store.inventory()?.contains { $0.id == key.id } == false)
            }
            try faults.command()
        }
    }

    /// A call that was under way when the token was missed, and comes back when the new login has seen all objects.
    @Test func `A key that is made while a new login settles in is not lost`() async throws {
        let device = try TestDevice.faulty {
            $0.profile.callTimeoutMilliseconds = 60_000
            $0.profile.canaryIntervalMilliseconds = 50
            $0.profile.recoveryDelayMilliseconds = 10
        }
        try await device.whileConnected { store async throws in
            try faults.command("C_GenerateKey block")
            try faults.clearLog()
            async let making = store.generateKey(ConformanceKeys.request())
            try await device.wait(for: "the making") { try faults.calls().contains("C_GenerateKey") }
            try faults.clearLog()
            // The canary fails, fails in a new session, and waits in the new login.
            try faults.command(
                "C_GenerateKey block", "C_DecryptInit return 30 times 2", "C_DecryptInit block skip 2")
            try await device.wait(for: "the canary of the new login") {
                let calls = try faults.calls()
                guard let sweep = calls.firstIndex(of: "C_FindObjectsInit") else { return false }
                return calls[sweep...].contains("C_DecryptInit")
            }
            try faults.command("C_DecryptInit block")
            let key = try await making
            try faults.command()
            try await device.wait(for: "recovery") { device.events.contains(.recovered) }
            let message = try await store.encrypt(SecretBytes([1]), associatedData: [], with: key)
            #expect(try await store.decrypt(message, associatedData: [], with: key).revealed == [1])
        }
    }

    /// The search of a session that stays open meanwhile, and is logged in again when it is asked.
    @Test func `A key is not taken for gone because it was looked for between two logins`() async throws {
        let device = try TestDevice.faulty {
            $0.profile.callTimeoutMilliseconds = 60_000
            $0.profile.canaryIntervalMilliseconds = 50
            $0.profile.recoveryDelayMilliseconds = 10
        }
        try await device.whileConnected { store async throws in
            try faults.command("C_GenerateKey lose 30")
            let request = ConformanceKeys.request()
            #expect(await errorCode { _ = try await store.generateKey(request) } == .internalFailure)
            try faults.command("C_FindObjectsInit block")
            async let discarding = errorCode { try await store.discardKey(request.id) }
            try await wait(for: "C_FindObjectsInit", on: device)
            // The canary fails, and fails in a new session; the keeper has logged out.
            try await wait(
                for: "C_Login", on: device,
                after: "C_FindObjectsInit block", "C_DecryptInit return 30 times 2", "C_Login block")
            // The search finds nothing, and asks whether it was logged in.
            try await wait(for: "C_GetSessionInfo", on: device, after: "C_Login block", "C_GetSessionInfo block")
            // The keeper has logged in, and opens another session.
            try await wait(for: "C_OpenSession", on: device, after: "C_GetSessionInfo block")
            try faults.command()
            #expect(await discarding != nil)
            try await device.wait(for: "recovery") { device.events.contains(.recovered) }
            #expect(try await store.inventory()?.map(\.id) == [request.id])
            try await store.discardKey(request.id)
            #expect(try await store.inventory()?.isEmpty == true)
        }
    }

    /// Waits until a function is called after new commands.
    private func wait(for function: String, on device: TestDevice, after commands: String...) async throws {
        if !commands.isEmpty {
            try faults.clearLog()
            try faults.command(lines: commands)
        }
        try await device.wait(for: function) { try faults.calls().contains(function) }
    }
}
