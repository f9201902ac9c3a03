internal import Cryptography
internal import KMSModel
internal import KeyStores

/// What this store can do on this machine, as a table made once: asked on every call.
struct SoftwareCapabilities: Sendable {
    static let current = SoftwareCapabilities(.current)

    private struct Cell: Hashable {
        let keySpec: KeySpec
        let algorithm: KeyAlgorithm
    }

    /// Every algorithm that goes with a spec: nil where it works, else the reason why not.
    private let cells: [Cell: String?]

    private init(_ availability: AlgorithmAvailability) {
        var cells: [Cell: String?] = [:]
        for keySpec in KeySpec.allCases {
            for algorithm in keySpec.algorithms {
                let cell = Cell(keySpec: keySpec, algorithm: algorithm)
                cells.updateValue(Self.refusal(of: algorithm, keySpec, availability), forKey: cell)
            }
        }
        self.cells = cells
    }

    /// Nil where it works.
    func refusal(of algorithm: KeyAlgorithm, _ keySpec: KeySpec) -> String? {
        guard let cell = cells[Cell(keySpec: keySpec, algorithm: algorithm)] else {
            return "the algorithm is not one of \(keySpec.rawValue) keys"
        }
        return cell
    }

    /// Nil where keys can be made that do something.
    func refusal(of keySpec: KeySpec, _ usage: KeyUsageType) -> String? {
        let algorithms = keySpec.algorithms(for: usage)
        guard !algorithms.isEmpty else {
            return "\(keySpec.rawValue) keys are not for \(usage.rawValue)"
        }
        let reasons = algorithms.compactMap { refusal(of: $0, keySpec) }
        return reasons.count == algorithms.count ? reasons.first : nil
    }

    private static func refusal(
        of algorithm: KeyAlgorithm, _ keySpec: KeySpec, _ availability: AlgorithmAvailability
    ) -> String? {
        guard case .keyPair(let kind) = keySpec.materialForm else { return nil }
        switch algorithm {
        case .encryption(let name):
            return name.scheme.flatMap { availability.refusal(of: .encryption($0), for: kind) }
        case .signing(let name): return availability.refusal(of: .signature(name.scheme), for: kind)
        case .keyAgreement: return availability.refusal(of: .agreement, for: kind)
        case .encapsulation: return availability.refusal(of: .encapsulation, for: kind)
        case .mac: return nil
        }
    }
}
