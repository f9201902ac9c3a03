internal import Cryptography

/// The SHA-256 of a model in hexadecimal: it names the version of the model in the generated files.
package func fingerprint(_ model: [UInt8]) throws -> String {
    try SHA256.digest(model).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
}
