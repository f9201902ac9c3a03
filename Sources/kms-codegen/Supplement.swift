/// What the service sends although its model does not say so: the exceptions of the common front end.
package enum Supplement {
    package struct Exception {
        package let name: String
        package let httpStatus: Int
        /// What it is for; becomes the documentation of the case.
        package let purpose: String
    }

    /// Sources: AWS KMS API Reference, "Common Errors"; AWS KMS Developer Guide, "Throttling AWS KMS requests"; answers
    /// of the service itself, where it is known to use the name with `Exception` at the end and status 400.
    package static let exceptions: [Exception] = [
        Exception(name: "AccessDeniedException", httpStatus: 400, purpose: "no policy and no grant allows the call"),
        Exception(name: "ExpiredTokenException", httpStatus: 400, purpose: "the session token has expired"),
        Exception(
            name: "IncompleteSignatureException", httpStatus: 400, purpose: "the Authorization header is malformed"),
        Exception(name: "InternalFailure", httpStatus: 500, purpose: "a failure of the service itself"),
        Exception(name: "InvalidSignatureException", httpStatus: 400, purpose: "the signature is wrong, or too old"),
        Exception(
            name: "MissingAuthenticationTokenException", httpStatus: 400, purpose: "the request is not signed"),
        Exception(
            name: "NotAuthorizedException", httpStatus: 400, purpose: "an alias name that is reserved to AWS"),
        Exception(
            name: "RequestEntityTooLargeException", httpStatus: 413,
            purpose: "the body is longer than the service reads"),
        Exception(
            name: "SerializationException", httpStatus: 400, purpose: "the body is not the JSON of the operation"),
        Exception(name: "ThrottlingException", httpStatus: 400, purpose: "too many requests at once"),
        Exception(
            name: "UnknownOperationException", httpStatus: 400, purpose: "X-Amz-Target names no operation"),
        Exception(
            name: "UnrecognizedClientException", httpStatus: 400, purpose: "unknown access key or session token"),
        Exception(
            name: "ValidationException", httpStatus: 400, purpose: "a parameter breaks a constraint, or makes no sense"),
    ]
}
