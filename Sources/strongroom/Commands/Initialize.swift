import ArgumentParser
import Foundation

struct Initialize: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Makes a data directory, a configuration file and a principals file.")

    @Argument(help: "The directory to make.", completion: .directory)
    var directory: String

    @Option(help: "The account of the first user, 12 digits.")
    var account = DevelopmentUser.defaultAccount

    func run() throws {
        guard IAMNames.isAccountID(account) else {
            throw ValidationError("an account is 12 digits, not \(account)")
        }
        let root = URL(fileURLWithPath: directory)
        try PrivateFile.makeDirectory(root)
        try PrivateFile.makeDirectory(root.appendingPathComponent("data"))
        try PrivateFile.makeDirectory(root.appendingPathComponent("hsm-config"))
        let id = "AK" + Self.randomText(18, from: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        let secret = Self.randomText(
            40, from: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        try PrivateFile.create(
            root.appendingPathComponent("principals.yaml"),
            """
            accounts:
              "\(account)":
                users:
                  - name: admin
                    policies: [AdministratorAccess]
                    accessKeys:
                      - id: \(id)
                        secret: \(secret)

            """)
        try PrivateFile.create(
            root.appendingPathComponent("strongroom.yaml"),
            """
            dataDirectory: data
            listen:
              host: 127.0.0.1
              port: 8555
            principalsFile: principals.yaml
            hsmConfigDirectory: hsm-config
            defaultKeyStore: software
            logLevel: info

            """)
        print("Made \(root.path). The access key of the user admin is in principals.yaml. Start the server with:")
        print("strongroom serve --config \(root.appendingPathComponent("strongroom.yaml").path)")
    }

    private static func randomText(_ count: Int, from alphabet: String) -> String {
        let characters = Array(alphabet)
        var generator = SystemRandomNumberGenerator()
        return String((0..<count).map { _ in characters[Int.random(in: 0..<characters.count, using: &generator)] })
    }
}
