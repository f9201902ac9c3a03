import ArgumentParser
import KMSCore

struct Adopt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes an object that is on a token already a KMS key.",
        discussion: """
            Asks the server that runs on the data directory. Nothing on the token is changed, and the object stays there \
            when the KMS key is deleted, unless --delete-object says otherwise. docs/adoption.md.
            """)

    @OptionGroup var server: DataDirectoryOptions

    @Option(help: "default, or the name or id of a custom key store.")
    var keyStore: String

    @Option(help: "The label of the object (CKA_LABEL).")
    var label: String?

    @Option(help: "The id of the object (CKA_ID), in hexadecimal digits.")
    var id: String?

    @Option(help: "ENCRYPT_DECRYPT, SIGN_VERIFY, KEY_AGREEMENT or GENERATE_VERIFY_MAC, where there is a choice.")
    var keyUsage: String?

    @Option(help: "An alias for the KMS key: alias/name.")
    var alias: String?

    @Option(help: "The description of the KMS key.")
    var description: String?

    @Option(help: ArgumentHelp("A tag of the KMS key. May be given several times.", valueName: "name=value"))
    var tag: [String] = []

    @Option(help: "The account of the KMS key, where there are several. A custom key store has its own.")
    var account: String?

    @Option(help: "The Region of the KMS key; else us-east-1. A custom key store has its own.")
    var region: String?

    @Flag(help: "Destroy the object when the KMS key is deleted.")
    var deleteObject = false

    func validate() throws {
        guard label != nil || id != nil else { throw ValidationError("--label or --id is needed") }
        _ = try tags()
        if let account, !IAMNames.isAccountID(account) {
            throw ValidationError("an account is 12 digits, not \(account)")
        }
    }

    func run() async throws {
        let order = AdoptionOrder(
            keyStore: keyStore, label: label, id: id, keyUsage: keyUsage, alias: alias, description: description,
            tags: try tags(), account: account, region: region, deletesObject: deleteObject)
        guard case .adopted(let key) = try await AdminRequest.adopt(order).ask(server.directory()) else { return }
        guard !server.json else { return try server.print(key) }
        print(key.arn)
        let name = key.objectLabel.isEmpty ? "without a label" : "\"\(key.objectLabel)\""
        let id = key.objectID.isEmpty ? "no id" : "id \(key.objectID)"
        print("is \(key.keySpec) for \(key.keyUsage): the object \(name), \(id).")
        for observation in key.observations { print("Note: \(observation)") }
    }

    private func tags() throws -> [String: String] {
        var tags: [String: String] = [:]
        for text in tag {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, tags.updateValue(String(parts[1]), forKey: String(parts[0])) == nil else {
                throw ValidationError("a tag is given as name=value and each name once, not \(text)")
            }
        }
        return tags
    }
}
