import ArgumentParser
import KeyStorePKCS11

struct Repair: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists what killed processes left half written on a token, and destroys it if told to.",
        discussion: """
            Half-written objects have no class, or neither label nor CKA_ID and are no token objects: nobody can use \
            one, and no server touches them, because another process may be writing one at that moment. Stop \
            everything that uses the token before --destroy.
            """)

    @OptionGroup var token: TokenOptions

    @Flag(help: "Destroy them. Nothing else on the token is touched.")
    var destroy = false

    func run() throws {
        ProcessProtection.forbidCoreDumps()
        let entries = try HalfWrittenObjects.find(on: token.access, pin: token.pin(), destroying: destroy)
        for entry in entries {
            let id = entry.id.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            print(
                "\(destroy ? "destroyed" : "half written"): id \(id.isEmpty ? "none" : id), label "
                    + (entry.label.isEmpty ? "none" : "\"\(entry.label)\""))
        }
        print("\(entries.count) half-written objects" + (destroy || entries.isEmpty ? "" : "; --destroy removes them"))
    }
}
