import Foundation
import KMSModel
import KeyCeremony
import Testing

/// What crosses an air gap, and times.
@Suite struct CeremonyFileTests {
    private func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ceremony-files-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private func refusal(_ body: () throws -> Void) -> String {
        let error = #expect(throws: CeremonyError.self) { try body() }
        return error?.description ?? ""
    }

    @Test func `Parameters and wrapped material come back as they were written`() throws {
        let service = try TestService()
        try inFolder { folder in
            let (file, other) = (folder.appending(path: "parameters.json"), folder.appending(path: "wrapped.json"))
            let parameters = service.parameters(.symmetricDefault, .rsaesOaepSha256)
            try CeremonyFile.create(file, parameters)
            let loaded = try ImportParameters.load(file)
            #expect(loaded.publicKey == parameters.publicKey && loaded.importToken == parameters.importToken)
            #expect(try loaded.fingerprint == parameters.fingerprint && loaded.keyArn == parameters.keyArn)
            #expect(abs(loaded.validTo.timeIntervalSince(parameters.validTo)) < 1)
            #expect(refusal { try CeremonyFile.create(file, parameters) }.contains("is there already"))

            try CeremonyFile.create(other, WrappedMaterial([7, 8, 9], parameters))
            let wrapped = try WrappedMaterial.load(other, for: loaded)
            #expect(wrapped.encryptedKeyMaterial == Data([7, 8, 9]))
            let others = try TestService().parameters(.symmetricDefault, .rsaesOaepSha256)
            #expect(
                refusal { _ = try WrappedMaterial.load(other, for: others) }.contains("not wrapped with these"))
            // One file in the place of the other.
            #expect(refusal { _ = try ImportParameters.load(other) }.contains("is not a file of this ceremony"))
        }
    }

    @Test func `Files of another version, of others, or none are refused`() throws {
        let service = try TestService()
        try inFolder { folder in
            let file = folder.appending(path: "parameters.json")
            #expect(refusal { _ = try ImportParameters.load(file) }.contains("cannot be read"))
            try CeremonyFile.create(file, service.parameters(.symmetricDefault, .rsaesOaepSha256))
            let text = try String(contentsOf: file, encoding: .utf8)
            try Data(text.replacing("parameters 1", with: "parameters 2").utf8).write(to: file)
            #expect(refusal { _ = try ImportParameters.load(file) }.contains("that this version of strongroom reads"))
            try Data("{}".utf8).write(to: file)
            #expect(refusal { _ = try ImportParameters.load(file) }.contains("is not a file of this ceremony"))
        }
    }

    @Test func `Durations are whole days, hours or minutes of up to 365 days`() throws {
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        for (text, seconds) in [("30d", 2_592_000.0), ("12h", 43_200), ("90m", 5_400), ("365d", 31_536_000)] {
            #expect(try Expiration(after: text, from: now) == .at(now.addingTimeInterval(seconds)))
        }
        for text in ["", "d", "30", "0d", "-1d", "+1d", "1.5d", "30 d", "30s", "٣d", "99999999999d", "366d", "8761h"] {
            #expect(throws: CeremonyError.self, "\(text)") { _ = try Expiration(after: text, from: now) }
        }
    }

    @Test func `Times are in the future and within 365 days`() throws {
        let now = Date(timeIntervalSince1970: 1_800_000_000)  // 2027-01-15T08:00:00Z
        #expect(
            try Expiration(timestamp: "2027-01-15T08:00:01Z", now: now) == .at(now.addingTimeInterval(1)))
        #expect(
            try Expiration(timestamp: "2027-01-15T10:00:01+01:00", now: now) == .at(now.addingTimeInterval(3_601)))
        for text in ["2027-01-15T08:00:00Z", "2028-01-15T08:00:01Z", "2027-13-01T00:00:00Z", "tomorrow", ""] {
            #expect(throws: CeremonyError.self, "\(text)") { _ = try Expiration(timestamp: text, now: now) }
        }
    }
}
