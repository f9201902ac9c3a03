/// ASCII names in order, so that a listing can go on after the last name of the previous page even when that name
/// has been deleted meanwhile.
package struct SortedNames: Sendable {
    package private(set) var all: [String] = []

    package var count: Int { all.count }

    package init() {}

    package mutating func insert(_ name: String) {
        let index = firstIndex(notBefore: name)
        if index == all.count || all[index] != name { all.insert(name, at: index) }
    }

    package mutating func remove(_ name: String) {
        let index = firstIndex(notBefore: name)
        if index < all.count, all[index] == name { all.remove(at: index) }
    }

    /// The names with a prefix stand together.
    mutating func removeAll(withPrefix prefix: String) {
        let start = firstIndex(notBefore: prefix)
        var end = start
        while end < all.count, all[end].utf8.starts(with: prefix.utf8) { end += 1 }
        all.removeSubrange(start..<end)
    }

    /// The names that come after `marker`, which need not be among them.
    package func after(_ marker: String?) -> ArraySlice<String> {
        guard let marker else { return all[...] }
        let index = firstIndex(notBefore: marker)
        return index < all.count && all[index] == marker ? all[(index + 1)...] : all[index...]
    }

    private func firstIndex(notBefore name: String) -> Int {
        var low = 0
        var high = all.count
        while low < high {
            let middle = (low + high) / 2
            if all[middle] < name { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
