import Conformance
import Cryptography
import KeyStoreSoftware
import Testing

/// The suite that every key store passes.
struct ConformanceTests {
    /// A store that keeps no keys itself has nothing to destroy, to list or to find taken.
    private static let needsKeptKeys: Set<KeyStoreConformance> = [
        .destroysForGood, .refusesTakenIdentities, .listsWhatItHolds,
    ]

    @Test(arguments: KeyStoreConformance.allCases)
    func `The standard key store`(_ check: KeyStoreConformance) async throws {
        let store = SoftwareKeyStore(rootKey: try RootKey(SystemRandom.secret(RootKey.byteCount)))
        let outcome = try await check.run(on: store)
        if case .notApplicable = outcome {
            #expect(Self.needsKeptKeys.contains(check))
        } else {
            #expect(outcome == .passed)
        }
    }
}
