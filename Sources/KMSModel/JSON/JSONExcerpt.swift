/// Chosen members of a JSON object, under the same names with a lower-case first letter: what an audit line shows of a
/// request or of an answer. Whatever was not chosen is skipped and never copied.
package struct JSONExcerpt {
    package indirect enum Form: Sendable {
        /// A scalar, a list of scalars, or a map whose names are the caller's own: copied as it stands.
        case value
        /// Seconds since the epoch, shown as people write a date.
        case date
        /// A structure, or a list of structures, of which these members are shown.
        case structure([String: Form])
        /// As the form, under a name of its own.
        case renamed(String, Form)
    }

    /// By the names of the service model.
    package typealias Selection = [String: Form]

    private var output: [UInt8] = []
    private var reader: JSONReader

    /// The chosen members as an object in JSON, on one line.
    ///
    /// - Parameters:
    ///   - body: a JSON object. No bytes stand for an empty one.
    ///   - defaults: members that are shown when the object has them not: name and JSON.
    /// - Returns: nil when there is nothing to show.
    /// Errors: those of `JSONReader`.
    package static func of(
        _ body: Span<UInt8>, _ selection: Selection, defaults: [(name: String, json: StaticString)] = []
    ) throws(KMSError) -> [UInt8]? {
        var excerpt = JSONExcerpt(reader: try JSONReader(checking: body))
        excerpt.output.reserveCapacity(256)
        excerpt.append("{")
        var shown: Set<String> = []
        if !body.isEmpty {
            try excerpt.members(body, selection) { shown.insert($0) }
            try excerpt.reader.end(body)
        }
        for (name, json) in defaults where !shown.contains(name) {
            excerpt.name(name)
            excerpt.append(json.description)
        }
        excerpt.append("}")
        return excerpt.output.count == 2 ? nil : excerpt.output
    }

    private init(reader: JSONReader) { self.reader = reader }

    // MARK: Reading

    private mutating func members(
        _ body: Span<UInt8>, _ selection: Selection, _ didShow: (String) -> Void
    ) throws(KMSError) {
        var object = try reader.beginObject(body)
        while let scanned = try reader.nextName(body, in: &object) {
            let modelName = try reader.text(of: scanned, body).string
            guard let form = selection[modelName] else {
                try reader.skipValue(body)
                continue
            }
            // A member without a value is an absent one.
            if try reader.skipNull(body) { continue }
            let (shownName, shownForm) = Self.shown(modelName, form)
            name(shownName)
            didShow(shownName)
            try value(body, shownForm)
        }
    }

    private mutating func value(_ body: Span<UInt8>, _ form: Form) throws(KMSError) {
        switch form {
        case .value, .renamed:
            let start = reader.index
            try reader.skipValue(body)
            copy(body, start..<reader.index)
        case .date:
            append("\"\(try reader.timestamp(body).displayText)\"")
        case .structure(let selection):
            guard reader.index < body.count, body[reader.index] == UInt8(ascii: "[") else {
                return try structure(body, selection)
            }
            try reader.beginArray(body)
            append("[")
            var isFirst = true
            while try reader.nextElement(body, isFirst: &isFirst) {
                separate()
                try structure(body, selection)
            }
            append("]")
        }
    }

    private mutating func structure(_ body: Span<UInt8>, _ selection: Selection) throws(KMSError) {
        append("{")
        try members(body, selection) { _ in }
        append("}")
    }

    private static func shown(_ modelName: String, _ form: Form) -> (String, Form) {
        if case .renamed(let name, let form) = form { return (name, form) }
        return (modelName.prefix(1).lowercased() + modelName.dropFirst(), form)
    }

    // MARK: Writing

    private mutating func name(_ name: String) {
        separate()
        append("\"\(name)\":")
    }

    /// A comma, but for the first member or element.
    private mutating func separate() {
        if let last = output.last, last != UInt8(ascii: "{"), last != UInt8(ascii: "[") { append(",") }
    }

    /// Copies a value without the white space between its parts, which may hold line ends.
    private mutating func copy(_ body: Span<UInt8>, _ range: Range<Int>) {
        var isInString = false
        var isEscaped = false
        for index in range {
            let byte = body[index]
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
            } else if byte == UInt8(ascii: "\"") {
                isInString = true
            } else if byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
                continue
            }
            output.append(byte)
        }
    }

    private mutating func append(_ text: String) { output.append(contentsOf: text.utf8) }
}
