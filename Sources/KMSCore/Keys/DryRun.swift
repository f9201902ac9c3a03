import KMSModel

// The one rule of dry runs (KMS API: DryRun, "Checks if your request will succeed"): a failure that the request would
// meet is reported as itself, and nothing is made, changed or shown.
//
// - What needs no private or secret key is checked in every dry run: rights, state, usage, algorithm, lengths, the
//   peer's public key, and that the store of the key can be reached where the key is needed.
// - What the key itself judges (the ciphertext of Decrypt, ReEncrypt and Decapsulate, the signature of Verify, the
//   code of VerifyMac) is part of the request's success: these dry runs work with the key, and end before the answer.
// - An operation that only makes something (Encrypt, Sign, GenerateMac, DeriveSharedSecret, Encapsulate, data keys)
//   ends before the key works: beyond the checks it can fail by a fault of the server only.
extension KeyManagementService {
    /// Ends a dry run here, with the answer that says so. Does nothing in other requests.
    ///
    /// - Parameter key: the key whose store the rest of the operation needs.
    func endDryRun(_ isDryRun: Bool?, beforeUsing key: KMSKey? = nil) throws(KMSError) {
        guard isDryRun == true else { return }
        if let key { _ = try material(of: key) }
        throw .dryRunSucceeded
    }
}
