/// Finds pieces of a glob, which have no `*`, in a text: Shift-And (Baeza-Yates and Gonnet, "A New Approach to Text
/// Searching", 1992), one bit for every byte of the piece, with a loop for the continuation bytes of a character that
/// `?` stands for.
///
/// Bit i is set while the first i + 1 bytes of the piece have just been seen. One step per byte of the text, whatever
/// the text.
struct PieceSearch {
    /// For every byte, the places of the piece where it may stand. Set for a piece and cleared after it, so that a
    /// pattern of thousands of pieces pays for its own length only.
    private var places = InlineArray<256, UInt64>(repeating: 0)

    /// Where `piece` first ends, if it begins at `position` or later and ends at `limit` or before. Both are at
    /// character boundaries.
    mutating func end(of piece: Span<UInt8>, in text: Span<UInt8>, from position: Int, to limit: Int) -> Int? {
        guard limit - position >= piece.count else { return nil }
        guard piece.count <= 64 else { return endOfLong(piece, in: text, from: position, to: limit) }
        var anyScalar: UInt64 = 0
        for index in piece.indices {
            let bit: UInt64 = 1 << UInt64(index)
            if piece[index] == Glob.anyScalar { anyScalar |= bit } else { places[Int(piece[index])] |= bit }
        }
        defer {
            for index in piece.indices { places[Int(piece[index])] = 0 }
        }

        let last: UInt64 = 1 << UInt64(piece.count - 1)
        var state: UInt64 = 0
        var index = position
        while index < limit {
            let byte = text[index]
            index += 1
            if isUTF8Continuation(byte) {
                state = (state << 1) & places[Int(byte)] | state & anyScalar
            } else {
                state = (state << 1 | 1) & (places[Int(byte)] | anyScalar)
            }
            if state & last != 0, index == limit || !isUTF8Continuation(text[index]) { return index }
        }
        return nil
    }

    /// The same for a piece of any length, with as many words as it needs. It is not longer than the text, so neither
    /// are its tables.
    private func endOfLong(
        _ piece: Span<UInt8>, in text: Span<UInt8>, from position: Int, to limit: Int
    ) -> Int? {
        let wordCount = (piece.count + 63) / 64
        var anyScalar = [UInt64](repeating: 0, count: wordCount)
        // Words of the bytes that the piece has, one row a byte; row 0 is for the others.
        var rows = [UInt64](repeating: 0, count: wordCount)
        var rowOfByte = InlineArray<256, Int>(repeating: 0)
        for index in piece.indices {
            let bit: UInt64 = 1 << UInt64(index & 63)
            let byte = Int(piece[index])
            if piece[index] == Glob.anyScalar {
                anyScalar[index >> 6] |= bit
                continue
            }
            if rowOfByte[byte] == 0 {
                rowOfByte[byte] = rows.count
                rows.append(contentsOf: repeatElement(0, count: wordCount))
            }
            rows[rowOfByte[byte] + index >> 6] |= bit
        }

        let last: UInt64 = 1 << UInt64((piece.count - 1) & 63)
        var state = [UInt64](repeating: 0, count: wordCount)
        var index = position
        while index < limit {
            let byte = text[index]
            index += 1
            let row = rowOfByte[Int(byte)]
            let continues = isUTF8Continuation(byte)
            var carry: UInt64 = continues ? 0 : 1
            for word in 0..<wordCount {
                let old = state[word]
                let shifted = old << 1 | carry
                carry = old >> 63
                let places = rows[row + word]
                state[word] =
                    continues ? shifted & places | old & anyScalar[word] : shifted & (places | anyScalar[word])
            }
            if state[wordCount - 1] & last != 0, index == limit || !isUTF8Continuation(text[index]) { return index }
        }
        return nil
    }
}
