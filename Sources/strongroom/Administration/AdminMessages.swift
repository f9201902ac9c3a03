import Foundation
import KMSCore
import KMSServer

/// What a command asks the running server (docs/decisions/0012-admin-socket.md).
enum AdminRequest: Codable {
    case adopt(AdoptionOrder)
    /// Nil lists all key stores.
    case keys(keyStore: String?)
}

/// `strongroom adopt` on its way.
struct AdoptionOrder: Codable {
    var keyStore: String
    var label: String?
    /// CKA_ID in hexadecimal digits.
    var id: String?
    var keyUsage: String?
    var alias: String?
    var description: String?
    var tags: [String: String]
    var account: String?
    var region: String?
    var deletesObject: Bool
}

/// What the server says to it.
enum AdminAnswer: Codable {
    case adopted(AdoptedKMSKey)
    case keys(KeyListing)
    /// One sentence.
    case refused(String)
}

extension AdminRequest {
    /// Asks the server that runs on a data directory.
    ///
    /// Errors: `AdminSocketError`; `AdministrationError` with what the server has said.
    func ask(_ directory: String) async throws -> AdminAnswer {
        let answer = try await AdminClient.ask(Array(JSONEncoder().encode(self)), directory: directory)
        let decoded = try? JSONDecoder().decode(AdminAnswer.self, from: Data(answer))
        switch decoded {
        case .refused(let reason)?: throw AdministrationError(reason: reason)
        case let answer?: return answer
        case nil: throw AdministrationError(reason: "the server on \(directory) is of another version")
        }
    }
}

/// Why a server did not do what it was asked: a sentence.
struct AdministrationError: Error, CustomStringConvertible {
    let reason: String

    var description: String { reason }
}
