import Foundation
import Testing

/// The members of Wycheproof's JSON files (format v1) that the tests look at.
struct WycheproofFile: Decodable {
    struct Group: Decodable {
        let sha: String?
        let privateKeyPkcs8: String?
        let publicKeyDer: String?
        let publicKeyAsn: String?
        /// A string in some files, an object in others.
        let publicKey: Text?
        let tests: [Case]
    }

    struct Case: Decodable {
        let tcId: Int
        let flags: [String]
        let result: String
        let msg: String?
        let sig: String?
        let ct: String?
        let label: String?
        let `public`: String?
        let `private`: String?
        let shared: String?
        let mu: String?
        let ctx: String?

        func bytes(_ path: KeyPath<Case, String?>) throws -> [UInt8] {
            try [UInt8](fromHexadecimal: self[keyPath: path])
        }
    }

    struct Text: Decodable {
        let value: String?

        init(from decoder: any Decoder) throws { value = try? decoder.singleValueContainer().decode(String.self) }
    }

    let numberOfTests: Int
    let testGroups: [Group]

    static func read(_ name: String) throws -> WycheproofFile {
        let file = try JSONDecoder().decode(Self.self, from: VectorFile.contents(of: "wycheproof/\(name)"))
        #expect(file.testGroups.map(\.tests.count).reduce(0, +) == file.numberOfTests)
        return file
    }
}

extension WycheproofFile.Group {
    func bytes(_ path: KeyPath<Self, String?>) throws -> [UInt8] {
        try [UInt8](fromHexadecimal: self[keyPath: path])
    }
}

extension [UInt8] {
    /// Fails the test where there is no text or it is not hexadecimal.
    init(fromHexadecimal text: String?) throws {
        let digits = try #require(text)
        self = try #require([UInt8](hexadecimal: digits))
    }
}
