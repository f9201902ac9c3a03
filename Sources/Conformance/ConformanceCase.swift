internal import KMSModel
public import KeyStores

/// One requirement on key stores, as a value, for `strongroom doctor --conformance` on the device of a user. The tests
/// run the checks that it is made of on the stores of this project, and know besides what those must not refuse.
public struct ConformanceCase: Sendable, CustomStringConvertible {
    /// What was looked at, and how it went. One case may look at several things with one key.
    public struct Finding: Sendable {
        public let subject: String
        public let outcome: KeyStoreConformance.Outcome
    }

    /// The requirement.
    public let description: String
    private let body: @Sendable (any KeyStore) async throws -> [Finding]

    /// Throws `ConformanceFailure`, or what the store threw where it must not throw.
    public func run(on store: any KeyStore) async throws -> [Finding] { try await body(store) }

    /// The whole suite, in the order in which it is best read.
    public static let all =
        KeyStoreConformance.allCases.map(Self.init) + KeyKind.allowed.map(Self.init)
        + KeyImportConformance.allowed.map(Self.init(importing:))
        + KeyImportConformance.algorithms.map(Self.init(refusing:))

    private init(_ check: KeyStoreConformance) {
        description = check.rawValue
        body = { store in [Finding(subject: check.rawValue, outcome: try await check.run(on: store))] }
    }

    private init(_ kind: KeyKind) {
        description = "a key of \(kind) does everything that the store says it does"
        body = { store in
            try await KeyKindConformance(kind).run(on: store).map {
                Finding(subject: "\(kind), \($0.algorithm.name)", outcome: $0.outcome)
            }
        }
    }

    private init(importing check: KeyImportConformance) {
        description = "material that is wrapped by \(check) comes in"
        body = { store in
            if let reason = store.refusal(ofWrapping: check.algorithm, check.wrappingKeySpec) {
                return [Finding(subject: "import by \(check)", outcome: .notApplicable(reason))]
            }
            return try await check.run(on: store).map {
                let kind = KeyKind($0.keySpec, $0.usage)
                return Finding(subject: "import of \(kind) by \(check)", outcome: $0.outcome)
            }
        }
    }

    private init(refusing check: KeyImportConformance) {
        let subject = "what does not unwrap by \(check), or is wrong, does not come in"
        description = subject
        body = { store in
            if let reason = store.refusal(ofWrapping: check.algorithm, check.wrappingKeySpec) {
                return [Finding(subject: subject, outcome: .notApplicable(reason))]
            }
            _ = try await check.refuseWrongImports(on: store)
            return [Finding(subject: subject, outcome: .passed)]
        }
    }
}
