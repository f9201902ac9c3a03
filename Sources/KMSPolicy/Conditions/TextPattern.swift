package import KMSModel

/// A text with wildcards and policy variables, such as an element of Resource.
package struct TextPattern: Sendable, Hashable {
    private enum Form: Hashable {
        case fixed(Glob)
        case perRequest(TextTemplate)
    }

    /// As the policy has it.
    package let text: Text
    private let form: Form

    /// `*`.
    package static let everything = TextPattern(Glob("*"))

    private init(_ glob: Glob) {
        text = "*"
        form = .fixed(glob)
    }

    /// - Throws: for policy variables that are not well formed or whose condition key does not exist.
    package init(_ text: Text, version: PolicyDocument.Version) throws(PolicyError) {
        self.text = text
        let template = try TextTemplate(text, version: version, wildcards: true)
        form = template.fixedProgram.map { .fixed(Glob(program: $0)) } ?? .perRequest(template)
    }

    /// Unknown when a variable has no value in this request.
    package func matches(_ text: Text, in source: some ConditionSource) -> Truth {
        switch form {
        case .fixed(let glob):
            return glob.matches(text) ? .yes : .no
        case .perRequest(let template):
            guard let program = template.program(in: source) else { return .unknown }
            return Glob(program: program).matches(text) ? .yes : .no
        }
    }
}
