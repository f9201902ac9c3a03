import KMSModel

/// A text in quotation marks for messages: one line, no control characters, at most 64 characters of it.
func quoted(_ text: Text) -> String {
    var shown = "\""
    var count = 0
    for scalar in text.string.unicodeScalars {
        guard count < 64 else { return shown + "…\"" }
        count += 1
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator:
            shown += "\\u{\(String(scalar.value, radix: 16))}"
        default:
            if scalar == "\"" || scalar == "\\" { shown += "\\" }
            shown.unicodeScalars.append(scalar)
        }
    }
    return shown + "\""
}
