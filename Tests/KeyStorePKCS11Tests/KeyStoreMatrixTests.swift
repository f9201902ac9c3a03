internal import Conformance
internal import Cryptography
internal import Foundation
internal import KMSModel
internal import KMSTesting
internal import KeyStorePKCS11
internal import KeyStoreSoftware
internal import KeyStores
internal import Testing

/// What is committed, and where: the matrix as data, and the document that is made of it.
private enum CommittedMatrix {
    private static let checkout = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let data = checkout.appending(path: "Tests/KeyStorePKCS11Tests/Matrix/expected.json")
    private static let document = checkout.appending(path: "docs/token-matrix.md")

    /// scripts/regenerate-token-matrix sets it.
    static let isToBeWritten = ProcessInfo.processInfo.environment["STRONGROOM_WRITE_TOKEN_MATRIX"] != nil
    static let howToWrite = "if that is right, run scripts/regenerate-token-matrix and commit what it writes"

    static func read() throws -> KeyStoreMatrix {
        try JSONDecoder().decode(KeyStoreMatrix.self, from: Data(contentsOf: data))
    }

    static func readDocument() throws -> String { try String(contentsOf: document, encoding: .utf8) }

    static func write(_ matrix: KeyStoreMatrix) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try (encoder.encode(matrix) + Data("\n".utf8)).write(to: data)
        try Data(matrix.document.utf8).write(to: document)
    }
}

// Among the tests of NSS, of which there is one at a time in a process.
extension NSSTests {
    private static let software = "Software"

    private static func source(
        _ name: String, _ device: TestDevice, _ store: any KeyStore
    ) async throws -> KeyStoreMatrix.Source {
        let capabilities = try #require(await device.devices.capabilities(TestDevice.clusterID))
        return KeyStoreMatrix.Source(name: name, version: capabilities.module, keyStore: store) {
            capabilities.method(of: $0, keySpec: $1)
        }
    }

    private static func matrixOfEveryStore() async throws -> KeyStoreMatrix {
        let software = SoftwareKeyStore(rootKey: try RootKey(SystemRandom.secret(RootKey.byteCount)))
        let softHSM = try TestDevice.softHSM()
        let nss = try device()
        return try await softHSM.whileConnected { softHSMStore in
            let softHSMSource = try await source("SoftHSM", softHSM, softHSMStore)
            return try await nss.whileConnected { nssStore in
                KeyStoreMatrix([
                    KeyStoreMatrix.Source(
                        name: Self.software, version: AlgorithmAvailability.libraryVersion, keyStore: software
                    ) { _, keySpec in
                        keySpec.keyPairKind.map(AlgorithmAvailability.isLeftToSwiftCrypto) == true
                            ? "by the BoringSSL of swift-crypto: libcrypto before 3.5 lacks it" : nil
                    },
                    softHSMSource,
                    try await source("NSS", nss, nssStore),
                ])
            }
        }
    }

    @Test func `Every store does what the committed matrix says`() async throws {
        let matrix = try await Self.matrixOfEveryStore()
        if CommittedMatrix.isToBeWritten { try CommittedMatrix.write(matrix) }
        for difference in matrix.differences(from: try CommittedMatrix.read()) {
            // Software can do what the installed libcrypto can, and that may be a newer one.
            if difference.kind == .gained, difference.store == Self.software {
                print("More than docs/token-matrix.md says: \(difference)")
            } else {
                Issue.record("\(difference); \(CommittedMatrix.howToWrite)")
            }
        }
    }
}

@Suite struct KeyStoreMatrixTests {
    @Test(.disabled(if: CommittedMatrix.isToBeWritten, "it is being written"))
    func `The document is made of the committed matrix`() throws {
        let document = try CommittedMatrix.read().document
        #expect(
            try CommittedMatrix.readDocument() == document,
            "docs/token-matrix.md is not what the matrix makes: run scripts/regenerate-token-matrix")
    }

    /// Whatever regenerated it.
    @Test(.disabled(if: CommittedMatrix.isToBeWritten, "it is being written"))
    func `The committed matrix is not empty-handed`() throws {
        let matrix = try CommittedMatrix.read()
        #expect(matrix.stores.map(\.name) == ["Software", "SoftHSM", "NSS"])
        #expect(matrix.rows.count == KeyKind.allowed.map(\.algorithms.count).reduce(0, +))
        let everywhere: [KeySpec] = [
            .symmetricDefault, .hmac224, .hmac256, .hmac384, .hmac512, .rsa2048, .rsa3072, .rsa4096, .eccNistP256,
            .eccNistP384, .eccNistP521,
        ]
        for row in matrix.rows {
            #expect(row.answers.count == 3)
            if everywhere.contains(where: { $0.rawValue == row.keySpec }) {
                #expect(!row.answers.contains { !$0.isYes }, "\(row)")
            }
            for answer in row.answers where !answer.isYes { #expect(answer.note?.isEmpty == false, "\(row)") }
        }
    }

    @Test func `A store that says no to everything differs in every cell that was a yes`() throws {
        let expected = try CommittedMatrix.read()
        let matrix = KeyStoreMatrix(
            expected.stores.map { store in
                KeyStoreMatrix.Source(name: store.name, version: "0", refusal: { _, _ in "out of order" })
            })
        let differences = matrix.differences(from: expected)
        let yeses = expected.rows.map { $0.answers.count(where: \.isYes) }.reduce(0, +)
        #expect(yeses > 80)
        #expect(differences.count == yeses && differences.allSatisfy { $0.kind == .lost })
        #expect(differences.first?.description.contains("out of order") == true)
    }

    @Test func `What was a no and is a yes is told, and so is a missing row`() throws {
        let expected = try CommittedMatrix.read()
        let all = KeyStoreMatrix(
            expected.stores.map { store in
                KeyStoreMatrix.Source(name: store.name, version: "0", refusal: { _, _ in nil })
            })
        let noes = expected.rows.map { $0.answers.count { !$0.isYes } }.reduce(0, +)
        #expect(noes > 0)
        let gained = all.differences(from: expected)
        #expect(gained.count == noes && gained.allSatisfy { $0.kind == .gained })
        #expect(KeyStoreMatrix([]).differences(from: expected).map(\.kind) == [.missing])
    }
}
