import KMSModel
import KMSPolicy
import Testing

struct `The case table` {
    @Test(arguments: try CaseTable.rows())
    func `is what the policy engine decides`(row: CaseTable.Row) {
        let decision = decide(row.query, row.conditions)
        #expect(decision.caseText == row.expected, "\(row.name)")
    }

    @Test(arguments: try CaseTable.rows())
    func `is what the policy engine explains`(row: CaseTable.Row) {
        let explanation = explain(row.query, row.conditions)
        #expect(explanation.decision.caseText == row.expected, "\(row.name)")
        #expect(explanation.contradiction == nil, "\(row.name)")
        #expect(!explanation.summary.isEmpty && !explanation.summary.hasSuffix("."), "\(row.name)")
    }

    @Test
    func `has at least 150 rows, each with a name of its own`() throws {
        let names = try CaseTable.rows().map(\.name)
        #expect(names.count >= 150)
        #expect(Set(names).count == names.count)
    }

    @Test
    func `has every condition operator, with its prefixes and its suffix`() throws {
        let texts = try CaseTable.files.map { try JSONFields.text(JSONFields.contents(of: "\($0).json")) }
        let table = texts.joined()
        let families = [
            "String": ["Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"],
            "Numeric": [
                "Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals",
            ],
            "Date": ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"],
            "Arn": ["Equals", "NotEquals", "Like", "NotLike"],
        ]
        let operators =
            families.flatMap { family, names in names.map { family + $0 } }
            + ["Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"]
            + ["StringEqualsIfExists", "NumericLessThanEqualsIfExists", "DateGreaterThanIfExists", "BoolIfExists"]
            + ["ArnLikeIfExists", "ForAnyValue:StringEquals", "ForAllValues:StringEquals"]
        for name in operators { #expect(table.contains("\"\(name)\":{"), "no row has \(name)") }
    }

    @Test(arguments: ["expected", "Expect", "grant"])
    func `refuses a row with a member that it does not know`(member: String) throws {
        var row: [String: Any] = [
            "name": "x", "principal": "alice", "resourcePolicy": "default", "expect": "denied: no identity policy",
        ]
        let table = try CaseTable()
        _ = try table.row(row, "test")
        row[member] = "x"
        #expect(throws: JSONFields.Failure.self) { try table.row(row, "test") }
    }
}
