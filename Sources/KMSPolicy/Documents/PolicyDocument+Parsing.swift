public import KMSModel

extension PolicyDocument {
    /// Reads a policy, and refuses what cannot be evaluated.
    ///
    /// Element names compare with case. Unknown elements, empty lists and duplicate members are refused: the grammar
    /// has none of them, and whoever writes one means something by it (IAM User Guide, "Grammar of the IAM JSON
    /// policy language"). The size of the text is for the caller to limit; time and memory are linear in it.
    public init(parsing text: Text, as kind: Kind) throws(PolicyError) {
        let tree: JSONTree
        do {
            tree = try JSONTree(parsing: text)
        } catch {
            throw PolicyError(.malformed, "the policy is not valid JSON: \(error)")
        }
        guard case .object(let members) = tree else {
            throw PolicyError(.malformed, "the policy is \(tree.kindName); it must be an object")
        }
        let elements = try PolicyElements(members, known: ["Version", "Id", "Statement"], place: "the policy")
        if let id = elements["Id"] { _ = try PolicyElements.text(id, "Id") }
        let version = try Self.version(elements["Version"])
        let statements = try Self.statements(elements["Statement"], kind, version)
        if kind != .keyPolicy { try Self.checkUnique(statements) }
        self.init(version: version, statements: statements)
    }

    private static func version(_ tree: JSONTree?) throws(PolicyError) -> Version {
        // IAM User Guide, "IAM JSON policy elements: Version": a policy without one is of the older version.
        guard let tree else { return .version2008 }
        let text = try PolicyElements.text(tree, "Version")
        guard let version = Version(rawValue: text.string) else {
            throw PolicyError(
                .malformed, "Version is \(quoted(text)); it must be \"2012-10-17\" or \"2008-10-17\"")
        }
        return version
    }

    private static func statements(
        _ tree: JSONTree?, _ kind: Kind, _ version: Version
    ) throws(PolicyError) -> [Statement] {
        switch tree {
        case .object(let members):
            return [try Statement(members, kind, version, place: "Statement")]
        case .array(let trees):
            guard !trees.isEmpty else { throw PolicyError(.malformed, "Statement is empty; it must have a statement") }
            var statements: [Statement] = []
            statements.reserveCapacity(trees.count)
            for (index, tree) in trees.enumerated() {
                guard case .object(let members) = tree else {
                    throw PolicyError(.malformed, "Statement[\(index)] is \(tree.kindName); it must be an object")
                }
                statements.append(try Statement(members, kind, version, place: "Statement[\(index)]"))
            }
            return statements
        case .some(let tree):
            throw PolicyError(.malformed, "Statement is \(tree.kindName); it must be an object or an array of objects")
        case nil:
            throw PolicyError(.malformed, "the policy has no Statement")
        }
    }

    /// IAM wants each Sid once in a policy (IAM User Guide, "IAM JSON policy elements: Sid"); KMS says nothing of it.
    private static func checkUnique(_ statements: [Statement]) throws(PolicyError) {
        var seen: Set<Text> = []
        for sid in statements.compactMap(\.sid) where !sid.isEmpty && !seen.insert(sid).inserted {
            throw PolicyError(
                .malformed,
                "statement IDs (Sid) in a single policy must be unique; \(quoted(sid)) is there twice")
        }
    }
}

/// The members of a JSON object of a policy, all of whose names are known.
struct PolicyElements {
    private let members: [JSONTree.Member]
    private let place: String

    init(_ members: [JSONTree.Member], known: [Text], place: String) throws(PolicyError) {
        for member in members where !known.contains(member.name) {
            let similar = known.first { $0.equalsWithoutCase(member.name) }
            let hint = similar.map { "; the name is written \"\($0)\"" } ?? ""
            throw PolicyError(
                .malformed, "\(place) has an unknown element \(quoted(member.name))\(hint)")
        }
        self.members = members
        self.place = place
    }

    subscript(name: Text) -> JSONTree? { members.first { $0.name == name }?.value }

    /// The one of two elements that exclude each other, such as Action and NotAction; nil when there is neither.
    func either(_ name: Text, or notName: Text) throws(PolicyError) -> (isNot: Bool, name: Text, value: JSONTree)? {
        switch (self[name], self[notName]) {
        case (nil, nil): return nil
        case (let value?, nil): return (false, name, value)
        case (nil, let value?): return (true, notName, value)
        default: throw PolicyError(.malformed, "\(place) has both \(name) and \(notName)")
        }
    }

    static func text(_ tree: JSONTree, _ place: String) throws(PolicyError) -> Text {
        guard case .string(let text) = tree else {
            throw PolicyError(.malformed, "\(place) is \(tree.kindName); it must be a string")
        }
        return text
    }

    /// One string, or an array of at least one.
    static func texts(_ tree: JSONTree, _ place: String) throws(PolicyError) -> [Text] {
        switch tree {
        case .string(let text):
            return [text]
        case .array(let trees):
            guard !trees.isEmpty else { throw PolicyError(.malformed, "\(place) is empty; it must have a value") }
            var texts: [Text] = []
            texts.reserveCapacity(trees.count)
            for tree in trees { texts.append(try text(tree, "a value of \(place)")) }
            return texts
        default:
            throw PolicyError(.malformed, "\(place) is \(tree.kindName); it must be a string or an array of strings")
        }
    }
}
