import KMSModel
import KMSPolicy
import KeyStores
import Logging
import SecureMemory

// Encryption and decryption with a symmetric KMS key, shared by Encrypt, Decrypt, ReEncrypt and the data key family.
extension KeyManagementService {
    /// A plaintext under the current material of `key`, as CiphertextBlob bytes.
    func encrypt(_ plaintext: SecretBytes, context: [UInt8], with key: KMSKey) async throws(KMSError) -> [UInt8] {
        let material = try key.currentMaterial
        let keyStore = try registry.keyStore(of: material, key: key)
        if keyStore.ciphertextSuite == .directAES256GCM {
            try await messageCounter.count(material.materialID, keyARN: key.arn)
        }
        let header = CiphertextBlob.header(
            suite: keyStore.ciphertextSuite, keyID: key.id, materialID: material.materialID)
        do {
            let message = try await keyStore.encrypt(
                plaintext, associatedData: header + context, with: material.backingKey)
            return CiphertextBlob(
                suite: keyStore.ciphertextSuite, keyID: key.id, materialID: material.materialID, message: message
            ).bytes
        } catch {
            throw answer(error, .encrypt, key)
        }
    }

    /// What is in a blob, and the id of the material it was made with.
    func decrypt(_ blob: CiphertextBlob, context: [UInt8], with key: KMSKey) async throws(KMSError) -> SecretBytes {
        guard let material = key.materials.last(where: { $0.materialID == blob.materialID && $0.isPresent }) else {
            throw .invalidCiphertext()
        }
        let keyStore = try registry.keyStore(of: material, key: key)
        guard keyStore.ciphertextSuite == blob.suite else { throw .invalidCiphertext() }
        let header = CiphertextBlob.header(suite: blob.suite, keyID: blob.keyID, materialID: blob.materialID)
        do {
            return try await keyStore.decrypt(
                blob.message, associatedData: header + context, with: material.backingKey)
        } catch {
            throw answer(error, .decrypt, key)
        }
    }

    func answer(_ error: KeyStoreError, _ use: KeyStoreUse, _ key: KMSKey) -> KMSError {
        if error.code != .invalidCiphertext {
            logger.warning("key store failed", metadata: ["key": "\(key.arn)", "error": "\(error)"])
        }
        return error.kmsError(use, keyARN: key.arn, inCustomKeyStore: key.customKeyStoreID != nil)
    }
}

extension [UInt8] {
    var lowercaseHexadecimal: String {
        var text: [UInt8] = []
        text.reserveCapacity(2 * count)
        for byte in self { text.append(hexadecimal: byte) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends two lower-case digits.
    mutating func append(hexadecimal byte: UInt8) {
        for digit in [byte >> 4, byte & 15] {
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
