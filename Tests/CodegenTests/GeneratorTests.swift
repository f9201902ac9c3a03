import Foundation
import Testing
import kms_codegen

@Suite struct GeneratorTests {
    private static let tests = URL(filePath: #filePath).deletingLastPathComponent()
    private static let package = tests.resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()

    private func files(below directory: URL) throws -> [String: String] {
        var files: [String: String] = [:]
        let paths = try #require(FileManager.default.enumerator(atPath: directory.path))
        for case let path as String in paths where path.hasSuffix(".swift") {
            files[path] = try String(contentsOf: directory.appending(path: path), encoding: .utf8)
        }
        return files
    }

    private func expectEqual(_ generated: [String: String], _ expected: [String: String]) {
        #expect(generated.keys.sorted() == expected.keys.sorted())
        for (path, content) in generated { #expect(content == expected[path], "\(path) differs") }
    }

    @Test func `A tiny model gives exactly the reference files`() throws {
        let reference = Self.tests.appending(path: "Reference")
        let model = try [UInt8](Data(contentsOf: reference.appending(path: "tiny.json")))
        expectEqual(
            try Generator(model: model, fileName: "tiny.json").files(),
            try files(below: reference.appending(path: "tiny")))
    }

    @Test func `The committed files are what the committed model gives, every time`() throws {
        let source = Self.package.appending(path: "Sources/kms-codegen/Model/kms-2014-11-01.json")
        let model = try [UInt8](Data(contentsOf: source))
        let first = try Generator(model: model, fileName: source.lastPathComponent).files()
        #expect(try Generator(model: model, fileName: source.lastPathComponent).files() == first)
        expectEqual(first, try files(below: Self.package.appending(path: "Sources/KMSModel/Generated")))
        #expect(first.keys.filter { $0.hasPrefix("Operations/") }.count == 56)
    }

    @Test func `The note beside the model names its SHA-256`() throws {
        let folder = Self.package.appending(path: "Sources/kms-codegen/Model")
        let model = try [UInt8](Data(contentsOf: folder.appending(path: "kms-2014-11-01.json")))
        let note = try String(contentsOf: folder.appending(path: "README.md"), encoding: .utf8)
        #expect(note.contains(try fingerprint(model)))
    }

    @Test func `Generated lines keep to 120 columns`() throws {
        let source = Self.package.appending(path: "Sources/kms-codegen/Model/kms-2014-11-01.json")
        let files = try Generator(model: [UInt8](Data(contentsOf: source)), fileName: "m.json").files()
        for (path, content) in files {
            for line in content.split(separator: "\n") { #expect(line.count <= 120, "\(path): \(line)") }
        }
    }

    @Test(arguments: [
        (#"{"S":{"type":"structure","members":{"A":{"shape":"Gone"}}}}"#, "Gone, which does not exist"),
        (#"{"S":{"type":"structure","members":{"A":{"shape":"T"}}},"T":{"type":"document"}}"#, "document is not known"),
        (
            #"{"S":{"type":"structure","members":{"A":{"shape":"E"}}},"E":{"type":"string","enum":["A_B","AB_"," aB","aB"]}}"#,
            "would both be"
        ),
        (
            #"{"S":{"type":"structure","members":{"A":{"shape":"P"}}},"P":{"type":"string","sensitive":true,"pattern":"a|b"}}"#,
            "a sensitive string can only have"
        ),
        (
            #"{"S":{"type":"structure","members":{"Reader":{"shape":"T"}}},"T":{"type":"string"}}"#,
            "cannot be called Reader"
        ),
        (
            #"{"S":{"type":"structure","members":{"L":{"shape":"L"}}},"L":{"type":"list","member":{"shape":"B"}},"B":{"type":"blob"}}"#,
            "lists of blob cannot be read"
        ),
        (
            #"{"S":{"type":"structure","members":{"M":{"shape":"M"}}},"M":{"type":"map","key":{"shape":"T"},"value":{"shape":"T"},"max":3},"T":{"type":"string"}}"#,
            "only unconstrained maps"
        ),
    ])
    func `A model that cannot be expressed is refused, with the reason`(_ shapes: String, _ reason: String) {
        let model = #"""
            {"metadata":{"apiVersion":"1","targetPrefix":"T"},
             "operations":{"Do":{"name":"Do","input":{"shape":"S"}}},"shapes":\#(shapes)}
            """#
        do {
            _ = try Generator(model: [UInt8](model.utf8), fileName: "m.json").files()
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains(reason), "\(error)")
        }
    }
}
