import Foundation
import KMSCore
import KMSModel
import KeyStores

/// Does what commands ask on the admin socket. Whoever may open it may do all this: they own the data directory.
struct AdminDesk: Sendable {
    let service: KeyManagementService

    func answer(_ request: [UInt8]) async -> [UInt8] {
        let answer: AdminAnswer
        do {
            guard let order = try? JSONDecoder().decode(AdminRequest.self, from: Data(request)) else {
                throw AdministrationError(reason: "the request is none that this version knows")
            }
            switch order {
            case .adopt(let order): answer = .adopted(try await service.adopt(order))
            case .keys(let keyStore): answer = .keys(try await service.listKeyMaterial(of: keyStore))
            }
        } catch let error as KMSError {
            answer = .refused(error.message ?? error.code.rawValue)
        } catch {
            answer = .refused("\(error)")
        }
        // Fails for no answer there is; an empty line is no answer, and the client says so.
        return (try? Array(JSONEncoder().encode(answer))) ?? []
    }
}

extension KeyManagementService {
    fileprivate func adopt(_ order: AdoptionOrder) async throws -> AdoptedKMSKey {
        guard let object = ObjectSelector(label: order.label, id: try order.id.map(Hexadecimal.bytes)) else {
            throw AdministrationError(reason: "the object has to be named by its label or its id")
        }
        let scope = try scope(ofKeyStoreNamed: order.keyStore, account: order.account, region: order.region)
        let request = try CreateKeyRequest.decode(Array(JSONEncoder().encode(order.body)))
        if let alias = order.alias {
            _ = try CreateAliasRequest.decode(Array(JSONEncoder().encode(["AliasName": alias, "TargetKeyId": "new"])))
        }
        return try await adoptKey(
            Adoption(
                keyStore: order.keyStore, object: object,
                onDeletion: order.deletesObject ? .destroysObject : .leavesObject),
            as: request, aliases: order.alias.map { [Text($0)] } ?? [], in: scope)
    }
}

extension AdoptionOrder {
    /// As a body of CreateKey, so that the constraints of the API hold for what it has in common with this.
    fileprivate var body: CreateKeyBody {
        CreateKeyBody(
            Description: description, KeyUsage: keyUsage,
            Tags: tags.sorted { $0.key < $1.key }.map { ["TagKey": $0.key, "TagValue": $0.value] })
    }

    fileprivate struct CreateKeyBody: Encodable {
        var Description: String?
        var KeyUsage: String?
        var Tags: [[String: String]]
    }
}

/// Bytes as people write them.
enum Hexadecimal {
    /// Errors: `AdministrationError`.
    static func bytes(_ text: String) throws -> [UInt8] {
        let digits = text.filter { $0 != ":" }.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
        guard !digits.isEmpty, digits.count.isMultiple(of: 2), !digits.contains(nil) else {
            throw AdministrationError(reason: "\(text) is no id in hexadecimal digits, two for each byte")
        }
        let values = digits.compactMap { $0.map(UInt8.init) }
        return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }
}
