package import KMSModel

/// A text with wildcards: `*` stands for any number of characters, `?` for exactly one (IAM User Guide, "Using
/// wildcards in resource ARNs"). It describes a whole text, not a part of one.
///
/// A character is a Unicode scalar. Everything is compared in UTF-8, byte by byte.
///
/// Cost: what has no wildcard but one `*` at an end is a comparison of bytes. Everything else takes one pass over the
/// text for every 64 bytes of the longest piece between two `*`, whatever the pattern and the text: no backtracking,
/// hence no pattern and no text that is slow. Only a piece of more than 64 bytes between two `*` allocates.
package struct Glob: Sendable, Hashable {
    /// Stands for `*` in a program. No UTF-8 has this byte, so a literal `*` is never mistaken for it.
    static let anyText: UInt8 = 0xFE
    /// Stands for `?` in a program.
    static let anyScalar: UInt8 = 0xFF

    /// What decides how texts are compared.
    private enum Shape: Hashable {
        /// `*`
        case everything
        /// No wildcard.
        case exact
        /// `text*`
        case prefix
        /// `*text`
        case suffix
        /// No `*`, but `?`.
        case whole
        /// The pieces of the program between its `*`; the first and last may be empty.
        case pieces(head: Range<Int>, middle: [Range<Int>], tail: Range<Int>)
    }

    /// The pattern in UTF-8 with `anyText` and `anyScalar` as wildcards.
    private let program: [UInt8]
    private let shape: Shape
    /// No shorter text fits.
    private let minimumCount: Int

    package init(_ pattern: Text) {
        self.init(program: Self.program(pattern))
    }

    /// UTF-8 with `anyText` and `anyScalar` as wildcards; every other byte stands for itself.
    init(program: [UInt8]) {
        var stars: [Int] = []
        var hasAnyScalar = false
        for index in program.indices {
            if program[index] == Self.anyText { stars.append(index) }
            if program[index] == Self.anyScalar { hasAnyScalar = true }
        }
        self.program = program
        minimumCount = program.count - stars.count
        guard let first = stars.first, let last = stars.last else {
            shape = hasAnyScalar ? .whole : .exact
            return
        }
        if minimumCount == 0 {
            shape = .everything
        } else if !hasAnyScalar, first == last, last == program.count - 1 {
            shape = .prefix
        } else if !hasAnyScalar, first == last, first == 0 {
            shape = .suffix
        } else {
            var middle: [Range<Int>] = []
            for (star, next) in zip(stars, stars.dropFirst()) where next > star + 1 { middle.append(star + 1..<next) }
            shape = .pieces(head: 0..<first, middle: middle, tail: last + 1..<program.count)
        }
    }

    /// The pattern with its wildcards marked.
    static func program(_ pattern: Text) -> [UInt8] {
        var program = Array(pattern.utf8)
        for index in program.indices { program[index] = instruction(for: program[index]) }
        return program
    }

    /// What stands in a program for a byte that a policy's author wrote.
    static func instruction(for byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "*"): anyText
        case UInt8(ascii: "?"): anyScalar
        default: byte
        }
    }

    package func matches(_ text: Text) -> Bool {
        let bytes = text.string.utf8.span
        return matches(bytes)
    }

    /// - Parameter text: whole UTF-8.
    func matches(_ text: Span<UInt8>) -> Bool {
        guard text.count >= minimumCount else { return false }
        let program = program.span
        switch shape {
        case .everything:
            return true
        case .exact:
            return text.count == program.count && hasLiteral(program, at: 0, in: text)
        case .prefix:
            return hasLiteral(program.extracting(droppingLast: 1), at: 0, in: text)
        case .suffix:
            return hasLiteral(program.extracting(droppingFirst: 1), at: text.count - minimumCount, in: text)
        case .whole:
            return end(of: program, at: 0, in: text) == text.count
        case .pieces(let head, let middle, let tail):
            guard var position = end(of: program.extracting(head), at: 0, in: text),
                let limit = start(of: program.extracting(tail), endingAt: text.count, in: text), position <= limit
            else { return false }
            guard !middle.isEmpty else { return true }
            // Each piece where it first ends: that leaves the most for those after it.
            var search = PieceSearch()
            for range in middle {
                guard let end = search.end(of: program.extracting(range), in: text, from: position, to: limit)
                else { return false }
                position = end
            }
            return true
        }
    }
}

private func hasLiteral(_ literal: Span<UInt8>, at offset: Int, in text: Span<UInt8>) -> Bool {
    for index in literal.indices where literal[index] != text[offset + index] { return false }
    return true
}

/// Whether a UTF-8 sequence goes on with this byte.
@inline(__always)
func isUTF8Continuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

/// Where a piece without `*` ends that begins at `position`; nil when it is not there.
private func end(of piece: Span<UInt8>, at position: Int, in text: Span<UInt8>) -> Int? {
    var position = position
    for index in piece.indices {
        guard position < text.count else { return nil }
        let wanted = piece[index]
        let byte = text[position]
        position += 1
        if wanted == Glob.anyScalar {
            while position < text.count, isUTF8Continuation(text[position]) { position += 1 }
        } else if wanted != byte {
            return nil
        }
    }
    return position
}

/// Where a piece without `*` begins that ends at `position`; nil when it is not there.
private func start(of piece: Span<UInt8>, endingAt position: Int, in text: Span<UInt8>) -> Int? {
    var position = position
    var index = piece.count
    while index > 0 {
        index -= 1
        guard position > 0 else { return nil }
        position -= 1
        if piece[index] == Glob.anyScalar {
            while position > 0, isUTF8Continuation(text[position]) { position -= 1 }
        } else if piece[index] != text[position] {
            return nil
        }
    }
    return position
}
