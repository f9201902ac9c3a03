import ArgumentParser
import KMSCore

struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists KMS keys beside the objects that hold their material, for audits.",
        discussion: """
            Asks the server that runs on the data directory, which reads the attributes from its tokens now. Objects that \
            are no key of the installation are listed at the end. docs/adoption.md.
            """)

    @OptionGroup var server: DataDirectoryOptions

    @Option(help: "One key store: default, software, a clusterId, or the name or id of a custom key store.")
    var keyStore: String?

    func run() async throws {
        let answer = try await AdminRequest.keys(keyStore: keyStore).ask(server.directory())
        guard case .keys(let listing) = answer else { return }
        if server.json { return try server.print(listing) }
        print(KeyListingPage(listing: listing).text, terminator: "")
    }
}
