extension RequestReader {
    /// A list of strings. A bad or null element is a violation of the list.
    package mutating func texts(
        _ body: Span<UInt8>, at name: String, _ bounds: Bounds? = nil, element: TextConstraint? = nil
    ) throws(KMSError) -> [Text] {
        var texts: [Text] = []
        var isGood = true
        try json.beginArray(body)
        var isFirst = true
        while try json.nextElement(body, isFirst: &isFirst) {
            if try json.skipNull(body) {
                isGood = false
                texts.append("null")
                continue
            }
            let text = try json.text(of: try json.string(body), body)
            if let element, ConstraintViolations.broken(text, element) != nil { isGood = false }
            texts.append(text)
        }
        check(texts, at: name, bounds, elementsAreGood: isGood) {
            element.map(ConstraintViolations.rules(of:)) ?? []
        }
        return texts
    }

    /// A list of enum values; nil when one is unknown or null, which is a violation of the list.
    package mutating func enumerations<Value: KMSEnumeration>(
        _ body: Span<UInt8>, at name: String, _ type: Value.Type, _ bounds: Bounds? = nil
    ) throws(KMSError) -> [Value]? {
        var values: [Value] = []
        var texts: [Text] = []
        try json.beginArray(body)
        var isFirst = true
        while try json.nextElement(body, isFirst: &isFirst) {
            if try json.skipNull(body) {
                texts.append("null")
                continue
            }
            let string = try json.string(body)
            texts.append(try json.text(of: string, body))
            if let value = Self.value(string, body, type) { values.append(value) }
        }
        let isGood = values.count == texts.count
        check(texts, at: name, bounds, elementsAreGood: isGood) { [ConstraintViolations.rule(values: type)] }
        return isGood ? values : nil
    }

    /// A list of structures; nil when one of them could not be read.
    package mutating func structures<Value: JSONReadable>(
        _ body: Span<UInt8>, at name: String, _ type: Value.Type, _ bounds: Bounds? = nil
    ) throws(KMSError) -> [Value]? {
        var values: [Value] = []
        var count = 0
        violations.enter(name)
        try json.beginArray(body)
        var isFirst = true
        while try json.nextElement(body, isFirst: &isFirst) {
            count += 1
            if try json.skipNull(body) {
                violations.missing("\(count).member")
                continue
            }
            violations.enter(element: count)
            if let value = try Value.read(body, &self) { values.append(value) }
            violations.leave()
        }
        violations.leave()
        if let bounds { violations.check(elementCount: count, at: name, bounds) { "[\(count) elements]" } }
        return values.count == count ? values : nil
    }

    /// A map from strings to strings. Duplicate keys are refused; a null value is a violation.
    package mutating func map(_ body: Span<UInt8>, at name: String) throws(KMSError) -> [Text: Text] {
        var map: [Text: Text] = [:]
        var object = try json.beginObject(body)
        while let string = try json.nextName(body, in: &object) {
            let key = try json.text(of: string, body)
            let value: Text
            if try json.skipNull(body) {
                violations.enter(name)
                violations.missing("\(key).member")
                violations.leave()
                value = ""
            } else {
                value = try json.text(of: try json.string(body), body)
            }
            guard map.updateValue(value, forKey: key) == nil else {
                throw .serialization("duplicate member before byte \(json.index)")
            }
        }
        return map
    }

    private mutating func check(
        _ texts: [Text], at name: String, _ bounds: Bounds?, elementsAreGood: Bool, rules: () -> [String]
    ) {
        if let bounds {
            violations.check(elementCount: texts.count, at: name, bounds) {
                "[" + texts.map(\.string).joined(separator: ", ") + "]"
            }
        }
        if !elementsAreGood {
            violations.badElement(of: texts, at: name, rules: rules() + ["Member must not be null"])
        }
    }
}
