internal import Conformance
internal import KMSTesting
internal import KeyStorePKCS11
internal import KeyStores
internal import Testing

/// The suite that every key store passes, on two modules and with every way of working that a profile can choose.
@Suite struct ConformanceTests {
    @Test(arguments: KeyStoreConformance.allCases)
    func `SoftHSM`(_ check: KeyStoreConformance) async throws {
        let device = try TestDevice.softHSM()
        try await device.whileConnected { store async throws in
            let outcome = try await check.run(on: store)
            #expect(outcome == .passed)
        }
    }

    @Test func `SoftHSM with copies in session memory`() async throws {
        let device = try TestDevice.softHSM { $0.profile.sessionCopies = true }
        try await device.whileConnected { store async throws in
            for check in KeyStoreConformance.allCases {
                let outcome = try await check.run(on: store)
                #expect(outcome == .passed, "\(check.rawValue)")
            }
        }
    }

    @Test func `SoftHSM with its files brought to the disk`() async throws {
        let directory = try SoftHSMFixture.shared().tokenDirectory
        let device = try TestDevice.softHSM { $0.profile.syncDirectory = directory }
        try await device.whileConnected { store async throws in
            for check in [KeyStoreConformance.destroysForGood, .returnsEveryPlaintext] {
                let outcome = try await check.run(on: store)
                #expect(outcome == .passed, "\(check.rawValue)")
            }
        }
    }
}
