internal import Cryptography
public import Foundation

/// The files that cross an air gap: JSON, without secrets, never written over one another.
public enum CeremonyFile {
    private static let largestByteCount = 1 << 20

    /// Writes a new file. One that is there already is left alone, and that is an error.
    public static func create(_ file: URL, _ content: some Encodable) throws(CeremonyError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        do {
            try (encoder.encode(content) + Data("\n".utf8)).write(to: file, options: .withoutOverwriting)
        } catch let error as CocoaError where error.code == .fileWriteFileExists {
            throw CeremonyError("\(file.path) is there already, and is not written over")
        } catch {
            throw CeremonyError("\(file.path) cannot be written: \(error.localizedDescription)")
        }
    }

    static func load<Content: Decodable>(_ file: URL) throws(CeremonyError) -> Content {
        let data: Data
        do { data = try Data(contentsOf: file) } catch {
            throw CeremonyError("\(file.path) cannot be read: \(error.localizedDescription)")
        }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        guard data.count <= largestByteCount, let content = try? decoder.decode(Content.self, from: data) else {
            throw CeremonyError("\(file.path) is not a file of this ceremony")
        }
        return content
    }

    /// `2026-01-02T03:04:05Z`
    public static func text(_ time: Date) -> String { time.formatted(.iso8601) }

    /// SHA-256 in hexadecimal.
    static func fingerprint(_ data: Data) throws(CeremonyError) -> String {
        do throws(CryptographyError) {
            let digest = try SHA256.digest([UInt8](data))
            return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        } catch {
            throw CeremonyError("no SHA-256 could be made: \(error.reason)")
        }
    }
}
