import Cryptography
import Foundation
import KeyStoreSoftware
import SecureMemory
import Testing

@Suite final class RootKeyTests {
    private let directory: URL
    private var path: String { directory.appending(path: "root.key").path }

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "root-key-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    private func write(_ count: Int, permissions: Int = 0o600) throws {
        try Data(repeating: 7, count: count).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: path)
    }

    private func refusal() -> SecretFile.Failure? {
        #expect(throws: SecretFile.Failure.self) { _ = try RootKey.open(at: path) }
    }

    @Test func `A created key has a private file of 32 bytes and opens what it sealed`() throws {
        let created = try RootKey.create(at: path)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(attributes[.size] as? Int == 32)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["root.key"])
        let sealed = try created.seal(SecretBytes([1, 2, 3]), purpose: "test", associatedData: [])
        let opened = try RootKey.open(at: path).open(sealed, purpose: "test", associatedData: [])
        #expect(opened.holds([1, 2, 3]))
    }

    @Test func `Two created keys differ`() throws {
        _ = try RootKey.create(at: path)
        _ = try RootKey.create(at: path + "2")
        try #expect(Data(contentsOf: URL(filePath: path)) != Data(contentsOf: URL(filePath: path + "2")))
    }

    @Test func `An existing key is never replaced`() throws {
        _ = try RootKey.create(at: path)
        let before = try Data(contentsOf: URL(filePath: path))
        let error = #expect(throws: SecretFile.Failure.self) { _ = try RootKey.create(at: path) }
        #expect(error?.code == .alreadyExists)
        _ = try RootKey.openOrCreate(at: path)
        try #expect(Data(contentsOf: URL(filePath: path)) == before)
    }

    @Test func `The first start makes the key and the second one finds it`() throws {
        let sealed = try RootKey.openOrCreate(at: path).seal(SecretBytes([5]), purpose: "test", associatedData: [])
        try #expect(RootKey.openOrCreate(at: path).open(sealed, purpose: "test", associatedData: []).holds([5]))
    }

    @Test func `What an interrupted first start left behind is replaced`() throws {
        try Data([1, 2, 3]).write(to: URL(filePath: path + ".new"))
        _ = try RootKey.openOrCreate(at: path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["root.key"])
    }

    @Test(arguments: [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o777])
    func `A key that others can read or change is refused with the cure`(permissions: Int) throws {
        try write(32, permissions: permissions)
        let failure = try #require(refusal())
        #expect(failure.code == .notPrivate)
        #expect(failure.reason.contains("chmod 600 '\(path)'"))
        #expect(throws: SecretFile.Failure.self) { _ = try RootKey.openOrCreate(at: path) }
    }

    @Test(arguments: [0, 1, 31, 33, 64])
    func `A key of the wrong length is refused and kept`(count: Int) throws {
        try write(count)
        let failure = try #require(refusal())
        #expect(failure.code == .wrongLength)
        #expect(failure.reason.contains("32 bytes but holds \(count)"))
        #expect(throws: SecretFile.Failure.self) { _ = try RootKey.openOrCreate(at: path) }
        try #expect(Data(contentsOf: URL(filePath: path)).count == count)
    }

    @Test func `A directory, a missing file and a missing folder are told apart`() throws {
        #expect(refusal()?.code == .notFound)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(refusal()?.code == .notPrivate)
        let error = #expect(throws: SecretFile.Failure.self) {
            _ = try RootKey.openOrCreate(at: directory.appending(path: "none/root.key").path)
        }
        #expect(error?.code == .inputOutput)
        #expect(error?.reason.contains("No such file or directory") == true)
    }
}
