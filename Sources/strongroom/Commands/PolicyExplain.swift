import ArgumentParser
import Foundation
import KMSCore
import KMSModel
import KMSPolicy
import KMSStorage

struct Policy: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tells who may do what, and why.", subcommands: [PolicyExplain.self])
}

/// Answers from the files of an installation, also while its server runs: what is stored is in force.
struct PolicyExplain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explains why a call is, or would be, allowed or denied, statement by statement.",
        discussion: """
            Reads the database and the principals file of an installation, also while its server runs. Ends with 0 when \
            the call is allowed, 1 when it is denied, 2 when that cannot be told, 64 when the flags are wrong.

            strongroom policy explain --config installation/strongroom.yaml \\
                --principal arn:aws:iam::111122223333:user/alice --action kms:Encrypt --key alias/reports \\
                --context kms:EncryptionContext:department=hr aws:SourceIp=10.0.0.1
            """)

    @Option(help: "Who asks: the ARN of a user, a role, a role session, or an account's root.")
    var principal: String

    @Option(help: "What is asked for, such as kms:Encrypt.")
    var action: String

    @Option(help: "The KMS key: its id, its ARN, an alias or an alias ARN. Actions such as kms:CreateKey have none.")
    var key: String?

    @Option(help: "The Region of the request.")
    var region: String?

    @Option(
        parsing: .upToNextOption,
        help: "Condition keys of the request, as name=value. The same name again gives it several values.")
    var context: [String] = []

    @Option(help: "The configuration file of the installation.", completion: .file())
    var config: String?

    @Option(help: "Instead of --config: the data directory of `strongroom dev`.", completion: .directory)
    var dataDirectory: String?

    @Option(help: "With --data-directory: the principals file that `strongroom dev` was given.", completion: .file())
    var principals: String?

    @Option(help: "With --data-directory: the account that `strongroom dev` was given.")
    var account = DevelopmentUser.defaultAccount

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (config == nil) != (dataDirectory == nil) else {
            throw ValidationError("either --config or --data-directory is needed")
        }
        guard config == nil || principals == nil else {
            throw ValidationError("--principals goes with --data-directory; the configuration file names its own")
        }
        guard IAMNames.isAccountID(account) else { throw ValidationError("an account is 12 digits, not \(account)") }
        for entry in context where !entry.utf8.dropFirst().contains(UInt8(ascii: "=")) {
            throw ValidationError("--context \(entry) is not of the form name=value")
        }
        guard key != nil || ActionsOnNoKey.contains(Text(action)) else {
            throw ValidationError("\(action) needs --key; without one go \(ActionsOnNoKey.list)")
        }
    }

    func run() throws {
        let found: PolicyExplanation
        do { found = try explanation() } catch {
            // Not the exit code 1 of other commands: here it says that the call is denied.
            FileHandle.standardError.write(Data("Error: \(sentence(error))\n".utf8))
            throw ExitCode(2)
        }
        if json {
            print(try ExplanationJSON(found, principal: principal, action: action).text())
        } else {
            print(ExplanationText(found, principal: principal, action: action).lines.joined(separator: "\n"))
        }
        if !found.explanation.decision.isAllowed { throw ExitCode(1) }
    }

    private func explanation() throws -> PolicyExplanation {
        let (database, directory) = try files()
        let contents = try SQLiteMetadataStore.contents(at: database.path)
        // The test clock is ahead of wall time by what is stored.
        let offset = contents.settings[.clockOffset].flatMap { Double(String(decoding: $0, as: UTF8.self)) } ?? 0
        return try PolicyExplanation(
            contents: contents, principals: directory, principal: Text(principal), action: Text(action),
            key: key.map { Text($0) }, region: region ?? regionOfKey ?? DevelopmentKeyStore.region,
            context: context.map { entry in
                let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (Text(String(parts[0])), Text(String(parts[1])))
            },
            time: Timestamp(secondsSinceEpoch: DomainClock.wallTime() + offset))
    }

    private func files() throws -> (database: URL, principals: PrincipalDirectory) {
        func database(in directory: URL) -> URL { directory.appendingPathComponent(SQLiteMetadataStore.fileName) }
        if let config {
            let file = URL(fileURLWithPath: config)
            let configuration = try ServeConfiguration.load(file)
            let loaded = try PrincipalsFile.load(ServeConfiguration.path(configuration.principalsFile, in: file))
            return (database(in: ServeConfiguration.path(configuration.dataDirectory, in: file)), loaded.directory)
        }
        let loaded = try principals.map { try PrincipalsFile.load(URL(fileURLWithPath: $0)) } ?? LoadedPrincipals()
        var directory = loaded.directory
        DevelopmentUser.addIfMissing(account: account, to: &directory)
        return (database(in: URL(fileURLWithPath: dataDirectory ?? ".")), directory)
    }

    /// `arn:aws:kms:eu-central-1:…`
    private var regionOfKey: String? {
        guard let parts = key?.split(separator: ":", omittingEmptySubsequences: false), parts.count > 3,
            parts[0] == "arn", !parts[3].isEmpty
        else { return nil }
        return String(parts[3])
    }

    private func sentence(_ error: any Error) -> String {
        (error as? KMSError)?.message ?? "\(error)"
    }
}

/// The actions that are authorized on no KMS key (Service Authorization Reference, "Actions defined by AWS Key
/// Management Service": those without a key as resource).
private enum ActionsOnNoKey {
    private static let names: [Text] = [
        "kms:ConnectCustomKeyStore", "kms:CreateCustomKeyStore", "kms:CreateKey", "kms:DeleteCustomKeyStore",
        "kms:DescribeCustomKeyStores", "kms:DisconnectCustomKeyStore", "kms:GenerateRandom", "kms:ListAliases",
        "kms:ListKeys", "kms:ListRetirableGrants", "kms:UpdateCustomKeyStore",
    ]

    static var list: String { names.map(\.string).joined(separator: ", ") }

    static func contains(_ action: Text) -> Bool { names.contains { action.equalsWithoutCase($0) } }
}
