import KMSModel
import Testing

@Suite struct OperationTests {
    @Test func `There are exactly 56 operations, and each knows its type`() {
        #expect(KMSOperation.allCases.count == 56)
        for operation in KMSOperation.allCases { #expect(operation.shape.operation == operation) }
    }

    @Test(arguments: KMSOperation.allCases)
    func `An operation is found by its target`(_ operation: KMSOperation) {
        #expect(operation.target == "TrentService.\(operation.rawValue)")
        #expect(KMSOperation(target: operation.target) == operation)
    }

    @Test(arguments: [
        "", "TrentService", "TrentService.", "Encrypt", "TrentService.encrypt", "TrentService.Encrypt ",
        "trentservice.Encrypt",
        "TrentService.List\u{212A}eys", "TrentService.EncryptX", "DynamoDB.Encrypt", " TrentService.Encrypt",
        "TrentService.Encrypt\u{301}",
    ])
    func `Any other target is unknown`(_ target: String) {
        #expect(KMSOperation(target: target) == nil)
    }

    @Test(arguments: KMSOperation.allCases)
    func `Every operation reads an empty object, or says what is missing`(_ operation: KMSOperation) {
        func decode<Shape: KMSOperationShape>(_ shape: Shape.Type) throws(KMSError) { _ = try Shape.Request.decode([]) }
        do {
            try decode(operation.shape)
        } catch {
            #expect(error.code == .validation)
            #expect(error.message?.hasSuffix("failed to satisfy constraint: Member must not be null") == true)
        }
    }
}

@Suite struct KMSErrorTests {
    private func text(_ error: KMSError) -> String { String(decoding: error.encodedBody(), as: UTF8.self) }

    @Test func `An error is its type and its message`() {
        #expect(
            text(.notFound("Key 'arn' does not exist"))
                == #"{"__type":"NotFoundException","message":"Key 'arn' does not exist"}"#)
        #expect(text(.invalidCiphertext()) == #"{"__type":"InvalidCiphertextException"}"#)
        #expect(text(.validation("say \"x\"\n")) == #"{"__type":"ValidationException","message":"say \"x\"\n"}"#)
    }

    @Test func `Faults answer 500, a body too large 413, all else 400`() {
        let faults: Set<KMSErrorCode> = [.dependencyTimeout, .kmsInternal, .keyUnavailable, .internalFailure]
        for code in KMSErrorCode.allCases {
            #expect(code.httpStatus == (faults.contains(code) ? 500 : code == .requestEntityTooLarge ? 413 : 400))
        }
        #expect(KMSErrorCode.allCases.count == 48 + 13)
    }

    @Test func `Errors are equal when code and message are`() {
        #expect(KMSError.notFound("a") == KMSError(.notFound, "a"))
        #expect(KMSError.notFound("a") != KMSError.notFound("b"))
        #expect(KMSError.notFound() != KMSError.disabled())
    }
}
