import Foundation
import KMSCore
import KMSModel
import KeyStores
import SecureMemory

/// The file with keys that a server has from its start (docs/seeding.md).
enum SeedFile {
    /// Where keys go that do not say.
    struct Defaults {
        /// Nil in `strongroom serve`: there every key names its account.
        var account: String?
        var region = "us-east-1"
    }

    /// A key of the file, and what to call its place in messages.
    struct Entry: Sendable {
        let key: SeededKey
        let place: String
    }

    /// Errors: `ConfigurationError`, one sentence with file, line and key.
    static func load(_ file: URL, _ defaults: Defaults) throws -> [Entry] {
        let content = try YAMLValue(readingFrom: file)
        var ids: Set<String> = []
        return try content.members("keys").required("keys").elements().enumerated().map { index, element in
            let id = (try? element.entries().first { $0.name == "id" }?.value.text()) ?? "number \(index + 1)"
            let value = element.placed(in: content).named("key \(id)")
            let key = try SeedReader(value, defaults).key()
            guard ids.insert(key.scope.keyARN(key.id)).inserted else { throw value.failure("it comes twice") }
            return Entry(key: key, place: value.failure("").description)
        }
    }
}

/// Reads one key of a seed file.
private struct SeedReader {
    private let value: YAMLValue
    private let members: YAMLMembers
    private let defaults: SeedFile.Defaults

    init(_ value: YAMLValue, _ defaults: SeedFile.Defaults) throws {
        self.value = value
        self.defaults = defaults
        members = try value.members(
            "id", "account", "region", "description", "keySpec", "keyUsage", "origin", "aliases", "tags", "policy",
            "material", "rotationPeriodInDays", "enabled", "adopt", "grants")
    }

    func key() throws -> SeededKey {
        guard let account = try members["account"]?.text() ?? defaults.account else {
            throw value.failure("account is missing")
        }
        guard IAMNames.isAccountID(account) else { throw value.failure("an account is 12 digits, not \(account)") }
        let request = CreateKeyRequest(
            description: try members["description"].map { Text(try $0.text()) },
            keySpec: try enumeration("keySpec"), keyUsage: try enumeration("keyUsage"),
            origin: try enumeration("origin"), policy: try members["policy"].map { Text(try $0.policyJSON()) },
            tags: try members["tags"]?.entries().map { name, value in
                Tag(tagKey: Text(name), tagValue: Text(try value.text()))
            })
        let material = try members["material"].map(material)
        guard material == nil || request.origin == .external else {
            throw value.failure("material needs origin: EXTERNAL")
        }
        let adoption = try members["adopt"].map(adoption)
        guard adoption == nil || request.origin == nil, adoption == nil || members["rotationPeriodInDays"] == nil else {
            throw value.failure("an adopted key has no origin and no rotation of its own to give")
        }
        return SeededKey(
            id: try members.required("id").text(),
            scope: Scope(accountID: account, region: try members["region"]?.text() ?? defaults.region),
            request: request,
            aliases: try members["aliases"]?.elements().map { Text(try $0.text()) } ?? [],
            material: material,
            rotationPeriodInDays: try members["rotationPeriodInDays"]?.integer(),
            isEnabled: try members["enabled"].map(boolean) ?? true,
            adoption: adoption,
            grants: try members["grants"]?.elements().map(grant) ?? [])
    }

    private func enumeration<Value: KMSEnumeration>(_ name: String) throws -> Value? {
        guard let member = members[name] else { return nil }
        return try enumeration(member)
    }

    private func enumeration<Value: KMSEnumeration>(_ value: YAMLValue) throws -> Value {
        let text = try value.text()
        guard let found = Value(rawValue: text) else {
            throw value.failure("\(text) is none of \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return found
    }

    private func boolean(_ value: YAMLValue) throws -> Bool {
        switch try value.text() {
        case "true": true
        case "false": false
        default: throw value.failure("expected true or false")
        }
    }

    private func material(_ value: YAMLValue) throws -> SecretBytes {
        guard let data = Data(base64Encoded: try value.text()), !data.isEmpty else {
            throw value.failure("expected base64: raw bytes, or PKCS#8 DER of a private key")
        }
        return SecretBytes(copying: Array(data).span)
    }

    private func adoption(_ value: YAMLValue) throws -> Adoption {
        let members = try value.members("keyStore", "label", "objectId", "deleteObject")
        let id = try members["objectId"].map { value in
            do { return try Hexadecimal.bytes(try value.text()) } catch let error as AdministrationError {
                throw value.failure(error.reason)
            }
        }
        guard let object = ObjectSelector(label: try members["label"]?.text(), id: id) else {
            throw value.failure("label or objectId is missing")
        }
        return Adoption(
            keyStore: try members["keyStore"]?.text() ?? KeyManagementService.defaultKeyStoreName, object: object,
            onDeletion: try members["deleteObject"].map(boolean) ?? false ? .destroysObject : .leavesObject)
    }

    private func grant(_ value: YAMLValue) throws -> CreateGrantRequest {
        let members = try value.members(
            "name", "granteePrincipal", "retiringPrincipal", "operations", "encryptionContextEquals",
            "encryptionContextSubset")
        func context(_ name: String) throws -> [Text: Text]? {
            guard let entries = try members[name]?.entries() else { return nil }
            return Dictionary(uniqueKeysWithValues: try entries.map { (Text($0.name), Text(try $0.value.text())) })
        }
        let (equals, subset) = (try context("encryptionContextEquals"), try context("encryptionContextSubset"))
        return CreateGrantRequest(
            keyId: "", operations: try members.required("operations").elements().map { try enumeration($0) },
            constraints: equals == nil && subset == nil
                ? nil : GrantConstraints(encryptionContextEquals: equals, encryptionContextSubset: subset),
            granteePrincipal: Text(try members.required("granteePrincipal").text()),
            name: Text(try members.required("name").text()),
            retiringPrincipal: try members["retiringPrincipal"].map { Text(try $0.text()) })
    }
}

extension KeyManagementService {
    /// Applies a seed, key by key.
    ///
    /// Errors: `ConfigurationError` with the place of the key that could not be made.
    func apply(_ seed: [SeedFile.Entry]) async throws {
        for entry in seed {
            do {
                try await apply(entry.key)
            } catch {
                throw ConfigurationError("\(entry.place)\(error.code.rawValue): \(error.message ?? "")")
            }
        }
    }
}
