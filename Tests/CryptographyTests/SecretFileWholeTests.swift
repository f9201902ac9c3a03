import Cryptography
import Foundation
import SecureMemory
import Testing

/// Files of unknown length that somebody else made.
@Suite struct SecretFileWholeTests {
    private func withFile(_ bytes: [UInt8], mode: Int, _ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "whole-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(FileManager.default.createFile(atPath: path, contents: Data(bytes)))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        try body(path)
    }

    private func code(_ path: String, limit: Int) -> SecretFile.Failure.Code? {
        #expect(throws: SecretFile.Failure.self) { _ = try SecretFile.readWhole(path, limit: limit) }?.code
    }

    @Test(arguments: [(0o600, false), (0o640, true), (0o604, true)])
    func `A file is read whole, and who else may read it is told`(mode: Int, isReadableByOthers: Bool) throws {
        let bytes = (0..<100).map { UInt8($0) }
        try withFile(bytes, mode: mode) { path in
            let contents = try SecretFile.readWhole(path, limit: 100)
            #expect(contents.bytes.holds(bytes))
            #expect(contents.isReadableByOthers == isReadableByOthers)
        }
    }

    @Test func `Files that are too long, empty or missing are errors`() throws {
        try withFile([1, 2, 3], mode: 0o600) { path in #expect(code(path, limit: 2) == .wrongLength) }
        try withFile([], mode: 0o600) { path in #expect(code(path, limit: 2) == .wrongLength) }
        #expect(code("/nonexistent", limit: 2) == .notFound)
        #expect(code("/", limit: 2) == .inputOutput)
    }

    @Test func `The numbers of an RSA key are those of its encoding`() throws {
        let key = try TestKeys.key(.rsa2048).publicKey
        let numbers = try #require(key.rsaNumbers)
        #expect(numbers.exponent == [1, 0, 1] && numbers.modulus.count == 256)
        // SubjectPublicKeyInfo ends with modulus, INTEGER of three bytes, exponent.
        #expect(Array(key.spki.suffix(261)) == numbers.modulus + [2, 3, 1, 0, 1])
        #expect(try TestKeys.key(.p256).publicKey.rsaNumbers == nil)
    }
}
