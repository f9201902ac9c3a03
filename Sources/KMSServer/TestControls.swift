import Foundation
import KMSCore
import KMSModel
import SecureMemory

/// The calls that `strongroom dev` adds for tests: signed like every other call, to `StrongroomDev.<Name>`
/// (docs/testing-with-strongroom.md). A server started by `strongroom serve` does not have them.
public struct TestControls: Sendable {
    static let targetPrefix = "StrongroomDev."

    /// Runs after a reset, to bring back what `strongroom dev` starts with.
    private let afterReset: @Sendable () async throws -> Void

    public init(afterReset: @escaping @Sendable () async throws -> Void) { self.afterReset = afterReset }

    /// Nil when there is no such control.
    func respond(
        to name: Substring, body: SecretBytes, _ service: KeyManagementService
    ) async throws(KMSError) -> [UInt8]? {
        switch name {
        case "AdvanceClock":
            let now = try await service.advanceClock(bySeconds: try Self.seconds(in: body))
            return Array("{\"Now\":\(now.secondsSinceEpoch)}".utf8)
        case "Reset":
            try await service.reset()
            do { try await afterReset() } catch {
                throw KMSError(.kmsInternal, "The reset was not finished: \(error)")
            }
            return Array("{}".utf8)
        default:
            return nil
        }
    }

    private struct AdvanceClock: Decodable {
        let Seconds: Double
    }

    private static func seconds(in body: SecretBytes) throws(KMSError) -> Double {
        let bytes = body.withBytes { span in Data(span.indices.map { span[$0] }) }
        guard let request = try? JSONDecoder().decode(AdvanceClock.self, from: bytes) else {
            throw KMSError(.serialization, "The body must be {\"Seconds\": <number>}.")
        }
        return request.Seconds
    }
}
