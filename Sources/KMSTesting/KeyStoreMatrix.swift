public import Conformance
public import KMSModel
public import KeyStores

/// What each of several key stores does with every kind of key that the API knows: one row for each algorithm of each
/// kind, one answer for each store. Data, so that it can be kept in a file, compared and shown.
public struct KeyStoreMatrix: Codable, Sendable {
    public struct Store: Codable, Sendable {
        public let name: String
        /// Of the library or module that does the work.
        public let version: String
    }

    public struct Answer: Codable, Sendable {
        public let isYes: Bool
        /// Of a yes: how, where that is worth telling. Of a no: why not.
        public let note: String?
    }

    public struct Row: Codable, Sendable {
        public let keySpec: String
        public let keyUsage: String
        public let algorithm: String
        /// In the order of `stores`.
        public let answers: [Answer]

        /// Whether this is the same row of another matrix.
        fileprivate func isAbout(_ other: Row) -> Bool {
            (keySpec, keyUsage, algorithm) == (other.keySpec, other.keyUsage, other.algorithm)
        }
    }

    public let stores: [Store]
    public let rows: [Row]

    /// One store, and how to ask it.
    public struct Source: Sendable {
        fileprivate let store: Store
        /// Nil is a yes.
        private let refusal: @Sendable (KeyAlgorithm, KeyKind) -> String?
        private let method: @Sendable (KeyAlgorithm, KeySpec) -> String?

        public init(
            name: String, version: String, refusal: @escaping @Sendable (KeyAlgorithm, KeyKind) -> String?,
            method: @escaping @Sendable (KeyAlgorithm, KeySpec) -> String? = { _, _ in nil }
        ) {
            store = Store(name: name, version: version)
            self.refusal = refusal
            self.method = method
        }

        /// A key of the kind must be made, and then do this.
        public init(
            name: String, version: String, keyStore: any KeyStore,
            method: @escaping @Sendable (KeyAlgorithm, KeySpec) -> String?
        ) {
            self.init(
                name: name, version: version,
                refusal: { algorithm, kind in
                    keyStore.refusal(of: algorithm, keySpec: kind.keySpec)
                        ?? keyStore.refusal(of: kind.keySpec, usage: kind.usage)
                }, method: method)
        }

        fileprivate func answer(_ algorithm: KeyAlgorithm, _ kind: KeyKind) -> Answer {
            let refusal = refusal(algorithm, kind)
            return Answer(isYes: refusal == nil, note: refusal ?? method(algorithm, kind.keySpec))
        }
    }

    public init(_ sources: [Source]) {
        stores = sources.map(\.store)
        rows = KeyKind.allowed.flatMap { kind in
            kind.algorithms.map { algorithm in
                Row(
                    keySpec: kind.keySpec.rawValue, keyUsage: kind.usage.rawValue, algorithm: algorithm.name,
                    answers: sources.map { $0.answer(algorithm, kind) })
            }
        }
    }

    // MARK: Comparison

    /// Where two matrices do not say the same.
    public struct Difference: Sendable, CustomStringConvertible {
        public enum Kind: Sendable {
            /// A yes became a no.
            case lost
            /// A no became a yes.
            case gained
            /// One of the two has no such row or store.
            case missing
        }

        public let kind: Kind
        public let store: String
        public let description: String
    }

    /// Yes and no only: how and why may change.
    public func differences(from expected: KeyStoreMatrix) -> [Difference] {
        guard stores.map(\.name) == expected.stores.map(\.name) else {
            return [Difference(kind: .missing, store: "", description: "the matrices are of different stores")]
        }
        var differences: [Difference] = []
        for row in expected.rows {
            let cell = "\(row.keySpec) for \(row.keyUsage), \(row.algorithm)"
            guard let actual = rows.first(where: row.isAbout), actual.answers.count == row.answers.count else {
                differences.append(Difference(kind: .missing, store: "", description: "there is no row \(cell)"))
                continue
            }
            for (index, store) in stores.enumerated() where actual.answers[index].isYes != row.answers[index].isYes {
                let answer = actual.answers[index]
                differences.append(
                    Difference(
                        kind: answer.isYes ? .gained : .lost, store: store.name,
                        description: answer.isYes
                            ? "\(store.name) can do \(cell)"
                            : "\(store.name) cannot do \(cell) any more: \(answer.note ?? "no reason is given")"))
            }
        }
        for row in rows where !expected.rows.contains(where: row.isAbout) {
            differences.append(
                Difference(
                    kind: .missing, store: "",
                    description: "\(row.keySpec) for \(row.keyUsage), \(row.algorithm) is not expected at all"))
        }
        return differences
    }
}
