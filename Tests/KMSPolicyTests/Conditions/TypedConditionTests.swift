import KMSModel
import KMSPolicy
import Testing

@Suite struct TypedConditionTests {
    private let days: Text = "kms:RotationPeriodInDays"
    private let time: Text = "aws:CurrentTime"

    @Test(
        arguments: [
            ("Equals", [false, true, false]), ("NotEquals", [true, false, true]), ("LessThan", [true, false, false]),
            ("LessThanEquals", [true, true, false]), ("GreaterThan", [false, false, true]),
            ("GreaterThanEquals", [false, true, true]),
        ] as [(String, [Bool])])
    func `Numbers and dates are compared by their order`(relation: String, holds: [Bool]) throws {
        for (value, holds) in zip(["364.9", "365.0", "366"] as [Text], holds) {
            let request: KeyValuePairs<String, [Text]> = ["kms:RotationPeriodInDays": [value]]
            #expect(try evaluate(Text("Numeric\(relation)"), days, ["365"], request) == (holds ? .yes : .no))
        }
        let moments: [Text] = ["2026-01-31T11:59:59Z", "2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00.001Z"]
        for (value, holds) in zip(moments, holds) {
            let request: KeyValuePairs<String, [Text]> = ["aws:CurrentTime": [value]]
            #expect(
                try evaluate(Text("Date\(relation)"), time, ["2026-01-31T12:00:00Z"], request) == (holds ? .yes : .no))
        }
    }

    @Test(
        arguments: [
            ("NumericEquals", "1", Truth.no), ("NumericNotEquals", "1", .yes), ("NumericLessThan", "1", .no),
            ("DateEquals", "2026", .no), ("DateNotEquals", "2026", .yes), ("DateGreaterThan", "2026", .no),
            ("Bool", "true", .no), ("BinaryEquals", "YQ==", .no), ("IpAddress", "10.0.0.0/8", .no),
            ("NotIpAddress", "10.0.0.0/8", .yes),
        ] as [(Text, Text, Truth)])
    func `An absent key fails an operator, passes a negated one and IfExists`(
        name: Text, value: Text, truth: Truth
    ) throws {
        #expect(try evaluate(name, "aws:SourceVpc", [value]) == truth)
        #expect(try evaluate(Text("\(name)IfExists"), "aws:SourceVpc", [value]) == .yes)
        #expect(try evaluate(Text("ForAllValues:\(name)"), "aws:SourceVpc", [value]) == .yes)
        #expect(try evaluate(Text("ForAnyValue:\(name)"), "aws:SourceVpc", [value]) == .no)
    }

    @Test(
        arguments: [
            ("NumericEquals", "1"), ("NumericNotEquals", "1"), ("NumericGreaterThan", "1"), ("DateEquals", "2026"),
            ("DateLessThan", "2026"), ("DateNotEquals", "2026"), ("Bool", "true"), ("BinaryEquals", "YQ=="),
            ("IpAddress", "10.0.0.0/8"), ("NotIpAddress", "10.0.0.0/8"), ("BoolIfExists", "true"),
            ("ForAllValues:NumericEquals", "1"), ("ForAnyValue:NumericEquals", "1"),
        ] as [(Text, Text)])
    func `A value of another type in the request is unknown`(name: Text, value: Text) throws {
        #expect(try evaluate(name, "aws:UserAgent", [value], ["aws:UserAgent": ["!"]]) == .unknown)
    }

    @Test(
        arguments: [
            ("1", "1.0", true), ("1", "01", true), ("1", "+1", true), ("1000", "1e3", true), ("-1", "-1.00", true),
            ("0", "-0", true), ("0.1", "0.10", true), ("1", "2", false),
            ("9007199254740991", "9007199254740990", false),
        ] as [(Text, Text, Bool)])
    func `Numbers are compared by their value`(wanted: Text, value: Text, equal: Bool) throws {
        let request: KeyValuePairs<String, [Text]> = ["kms:RotationPeriodInDays": [value]]
        #expect(try evaluate("NumericEquals", days, [wanted], request) == (equal ? .yes : .no))
    }

    @Test(
        arguments: ["", " 1", "1 ", "1.", ".5", "0x10", "inf", "nan", "1e", "1e999", "--1", "1_000", "1,5", "١"]
            as [Text])
    func `What is no decimal number is refused`(value: Text) {
        let error = refusal("NumericEquals", days, [value])
        #expect(error?.description.contains("NumericEquals") == true)
        #expect(error?.description.contains("\"\(value)\"") == true)
    }

    @Test(
        arguments: [
            ("1970", "0"), ("1970-01", "0"), ("1970-01-01", "0.0"), ("1970-01-01T00:00Z", "-0"),
            ("2000-02-29T12:00:00Z", "951825600"), ("2019-01-01T00:00:00+01:00", "1546297200"),
            ("2018-12-31T23:59:59.5Z", "1546300799.5"), ("1969-12-31T23:59:59.25Z", "-0.75"),
            ("2018-12-31T19:00-05:00", "1546300800.000"), ("9999-12-31T23:59:59Z", "253402300799"),
            ("0000-01-01", "-62167219200"), ("1600-03-01", "-11670912000"),
            ("2026-01-31T00:00:00.123456789999Z", "1769817600.123456789"),
        ] as [(Text, Text)])
    func `Every form of a date is the moment that it says`(text: Text, epoch: Text) throws {
        #expect(try evaluate("DateEquals", time, [epoch], ["aws:CurrentTime": [text]]) == .yes)
        #expect(try evaluate("DateEquals", time, [text], ["aws:CurrentTime": [epoch]]) == .yes)
    }

    @Test(
        arguments: [
            "", "now", "2026-13-01", "2026-00-01", "2026-02-29", "1900-02-29", "2026-04-31", "2026-1-1", "2026-01-01T",
            "2026-01-01T00:00:00", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
            "2026-01-01 00:00:00Z", "2026-01-01t00:00:00z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00ZZ",
            "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00+24:00", "2026-0101", "9999-12-31T23:59:59-00:01",
            "0000-01-01T00:00:00+00:01", "253402300800", "99999999999999999999999999", "1e9", "1.", "-", "+1",
            "2026-01-01T00:00:00.00000000000000000000000000000000Z",
        ] as [Text])
    func `What is no date is refused`(value: Text) {
        #expect(refusal("DateEquals", time, [value])?.description.contains("DateEquals") == true)
    }

    @Test func `True and false are taken in any case, and nothing else is`() throws {
        let request: KeyValuePairs<String, [Text]> = ["aws:SecureTransport": ["False"]]
        #expect(try evaluate("Bool", "aws:SecureTransport", ["false"], request) == .yes)
        #expect(try evaluate("Bool", "aws:SecureTransport", ["TRUE"], request) == .no)
        #expect(try evaluate("Bool", "aws:SecureTransport", ["true", "false"], request) == .yes)
        for value in ["", "yes", "1", "tru", "truE ", "trüe"] as [Text] {
            #expect(refusal("Bool", "aws:SecureTransport", [value]) != nil)
        }
    }

    @Test func `Binary values are compared as bytes`() throws {
        let key: Text = "kms:EncryptionContext:blob"
        #expect(try evaluate("BinaryEquals", key, ["AAEC"], ["kms:EncryptionContext:blob": ["AAEC"]]) == .yes)
        #expect(try evaluate("BinaryEquals", key, ["AAEC", "AQ=="], ["kms:EncryptionContext:blob": ["AQ=="]]) == .yes)
        #expect(try evaluate("BinaryEquals", key, ["AAEC"], ["kms:EncryptionContext:blob": ["AAED"]]) == .no)
        for value in ["A", "AQ", "AR==", "A*==", "AA EC"] as [Text] {
            #expect(refusal("BinaryEquals", key, [value]) != nil)
        }
    }

    @Test func `Null asks whether a key is there`() throws {
        let key: Text = "aws:TokenIssueTime"
        let request: KeyValuePairs<String, [Text]> = ["aws:TokenIssueTime": ["2026-01-01T00:00:00Z"]]
        #expect(try evaluate("Null", key, ["true"]) == .yes)
        #expect(try evaluate("Null", key, ["false"]) == .no)
        #expect(try evaluate("Null", key, ["true"], request) == .no)
        #expect(try evaluate("Null", key, ["False"], request) == .yes)
        #expect(try evaluate("Null", key, ["true", "false"], request) == .yes)
        #expect(try evaluate("Null", key, [], request) == .no)
    }

    @Test func `An empty list is null, an empty tag is not`() throws {
        #expect(try evaluate("Null", "aws:TagKeys", ["true"], ["aws:TagKeys": []]) == .yes)
        #expect(try evaluate("Null", "aws:TagKeys", ["true"], ["aws:TagKeys": [""]]) == .yes)
        #expect(try evaluate("Null", "aws:TagKeys", ["false"], ["aws:TagKeys": ["a", "b"]]) == .yes)
        #expect(
            try evaluate("Null", "aws:ResourceTag/protected", ["false"], ["aws:ResourceTag/protected": [""]]) == .yes)
    }

    @Test func `A value with a variable is read when the request is known`() throws {
        let value: [Text] = ["${aws:PrincipalTag/days}"]
        let request: (Text) -> KeyValuePairs<String, [Text]> = {
            ["kms:RotationPeriodInDays": ["365"], "aws:PrincipalTag/days": [$0]]
        }
        #expect(try evaluate("NumericEquals", days, value, request("365")) == .yes)
        #expect(try evaluate("NumericEquals", days, value, request("90")) == .no)
        #expect(try evaluate("NumericEquals", days, value, request("many")) == .unknown)
        #expect(try evaluate("NumericEquals", days, value, ["kms:RotationPeriodInDays": ["365"]]) == .unknown)
        #expect(
            try evaluate(
                "IpAddress", "aws:SourceIp", ["${aws:PrincipalTag/net}"],
                [
                    "aws:SourceIp": ["10.1.2.3"], "aws:PrincipalTag/net": ["10.0.0.0/8"],
                ]) == .yes)
    }
}
