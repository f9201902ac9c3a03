// The matrix as docs/token-matrix.md shows it.

extension KeyStoreMatrix {
    private static let head = """
        # What each key store does

        Made by `scripts/regenerate-token-matrix` from what the stores themselves say: the software store tries the
        installed libcrypto when the server starts, and a token is probed by known answers at every connect. The suite
        compares every cell with what it finds: a yes that became a no fails. A newer libcrypto may do more in
        software than is written here.

        What a store does not do is refused with `UnsupportedOperationException` and the reason, and is not listed by
        DescribeKey; a key that could do nothing is refused by CreateKey. Keys of every store, with the same answers,
        do in software what needs the public key only: GetPublicKey, Verify, Encapsulate, and Encrypt with an
        asymmetric key.
        """

    private static let sections: [(usage: String, title: String)] = [
        ("ENCRYPT_DECRYPT", "Encrypt, Decrypt, ReEncrypt; with `SYMMETRIC_DEFAULT` also GenerateDataKey and its like"),
        ("SIGN_VERIFY", "Sign, Verify"),
        ("GENERATE_VERIFY_MAC", "GenerateMac, VerifyMac"),
        ("KEY_AGREEMENT", "DeriveSharedSecret"),
        ("ENCAPSULATE_DECAPSULATE", "Encapsulate, Decapsulate"),
    ]

    /// The whole document.
    public var document: String {
        var notes: [String] = []
        var parts = [Self.head, versions]
        for section in Self.sections {
            let rows = rows.filter { $0.keyUsage == section.usage }
            guard !rows.isEmpty else { continue }
            parts.append("## \(section.usage)\n\n\(section.title).\n\n" + table(of: rows, &notes))
        }
        let list = notes.enumerated().map { "\($0.offset + 1). \($0.element)" }
        parts.append("## Notes\n\n" + list.joined(separator: "\n"))
        return parts.joined(separator: "\n\n") + "\n"
    }

    private var versions: String {
        (["| Key store | Version |", "|---|---|"] + stores.map { "| \($0.name) | \($0.version) |" })
            .joined(separator: "\n")
    }

    /// Rows of one spec that say the same for all stores are one line.
    private func table(of rows: [Row], _ notes: inout [String]) -> String {
        var lines: [(spec: String, algorithms: [String], cells: [String])] = []
        for row in rows {
            let cells = row.answers.map { Self.cell($0, &notes) }
            if let last = lines.last, last.spec == row.keySpec, last.cells == cells {
                lines[lines.count - 1].algorithms.append("`\(row.algorithm)`")
            } else {
                lines.append((row.keySpec, ["`\(row.algorithm)`"], cells))
            }
        }
        let head = [
            "| Key spec | Algorithm | " + stores.map(\.name).joined(separator: " | ") + " |",
            "|---|---|" + stores.map { _ in "---|" }.joined(),
        ]
        return
            (head
            + lines.map { line in
                "| `\(line.spec)` | \(line.algorithms.joined(separator: ", ")) | "
                    + line.cells.joined(separator: " | ") + " |"
            }).joined(separator: "\n")
    }

    private static func cell(_ answer: Answer, _ notes: inout [String]) -> String {
        let word = answer.isYes ? "yes" : "**no**"
        guard let note = answer.note else { return word }
        if !notes.contains(note) { notes.append(note) }
        return "\(word) <sup>\((notes.firstIndex(of: note) ?? 0) + 1)</sup>"
    }
}
