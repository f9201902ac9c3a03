import KMSCore
package import KMSModel
import SecureMemory

/// From the name of an operation to its method. An operation that is not in the table is answered with
/// UnsupportedOperationException and stands as refused in docs/api-coverage.md; a test compares the two.
package enum Dispatch {
    typealias Handler =
        @Sendable (KeyManagementService, SecretBytes, RequestContext) async throws(KMSError) -> [UInt8]

    /// The operations that are built.
    package static var builtOperations: Set<KMSOperation> { Set(table.keys) }

    /// The operation that a value of X-Amz-Target names.
    static func operation(target: String) -> KMSOperation? { operationsByTarget[target] }

    private static let operationsByTarget = Dictionary(
        uniqueKeysWithValues: KMSOperation.allCases.map { ($0.target, $0) })

    /// Decodes the request, lets the service answer, and encodes the response.
    static func respond(
        to operation: KMSOperation, body: SecretBytes, _ service: KeyManagementService, _ context: RequestContext
    ) async throws(KMSError) -> [UInt8] {
        guard let handler = table[operation] else {
            // A request that would not even parse is told so first, as if the operation existed.
            try check(operation.shape, body)
            throw KMSError(
                .unsupportedOperation, "The operation \(operation.rawValue) is not supported by this server.")
        }
        return try await handler(service, body, context)
    }

    private static func check<Shape: KMSOperationShape>(_ shape: Shape.Type, _ body: SecretBytes) throws(KMSError) {
        _ = try body.withBytes { body throws(KMSError) in try Shape.Request.decode(body) }
    }
}
