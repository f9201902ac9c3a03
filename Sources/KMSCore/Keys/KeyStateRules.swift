package import KMSModel

/// May this operation run on a key in this state? One table for all operations.
///
/// Source: KMS Developer Guide, "Key states of AWS KMS keys", table and its numbered answers.
package enum KeyStateRules {
    /// Operations that the table treats alike.
    package enum Group: Sendable {
        /// Encrypt, Decrypt, ReEncrypt, the GenerateDataKey family, Sign, Verify, MACs, GetPublicKey;
        /// UpdatePrimaryRegion.
        case cryptographic
        /// CreateAlias, UpdateAlias (the new target), TagResource, UntagResource, UpdateKeyDescription.
        case change
        /// CreateGrant.
        case grant
        /// EnableKey, DisableKey.
        case enableOrDisable
        case scheduleDeletion
        case cancelDeletion
        /// RotateKeyOnDemand, EnableKeyRotation, DisableKeyRotation, ReplicateKey.
        case rotate
        /// GetParametersForImport, for keys of Origin EXTERNAL; of the others their origin is the answer.
        case getImportParameters
        /// ImportKeyMaterial, likewise.
        case importMaterial
        /// DeleteImportedKeyMaterial, likewise. Destruction waits for a custom key store that is away.
        case deleteImportedMaterial
        /// DescribeKey and everything else that works in every state.
        case always
    }

    /// Throws the answer of the table when the operation may not run.
    package static func check(_ group: Group, _ state: KeyState, of keyARN: String) throws(KMSError) {
        switch (group, state) {
        case (.always, _): return
        case (.cancelDeletion, .pendingDeletion), (.cancelDeletion, .pendingReplicaDeletion): return
        case (.deleteImportedMaterial, .pendingDeletion), (.deleteImportedMaterial, .pendingReplicaDeletion): return
        case (.deleteImportedMaterial, .unavailable), (.deleteImportedMaterial, .pendingImport): return
        case (.getImportParameters, .pendingImport), (.importMaterial, .pendingImport): return
        case (.cancelDeletion, _): throw .invalidState(keyARN, "is not pending deletion (or pending replica deletion)")
        case (_, .pendingDeletion): throw .invalidState(keyARN, "is pending deletion")
        case (_, .pendingReplicaDeletion): throw .invalidState(keyARN, "is pending replica deletion")
        case (.change, _): return
        case (.scheduleDeletion, .updating): throw .invalidState(keyARN, "is updating")
        case (.scheduleDeletion, _): return
        // A change of a key whose store is disconnected is recorded and takes effect on reconnect.
        case (.enableOrDisable, .disabled), (.enableOrDisable, .unavailable): return
        case (.grant, .unavailable), (.grant, .updating): return
        case (.cryptographic, .updating), (.importMaterial, .updating): return
        case (.cryptographic, .disabled), (.grant, .disabled), (.rotate, .disabled): throw .keyDisabled(keyARN)
        case (_, .pendingImport): throw .invalidState(keyARN, "is pending import")
        case (_, .unavailable): throw .invalidState(keyARN, "is unavailable")
        case (_, .creating): throw .invalidState(keyARN, "is creating")
        case (_, .updating): throw .invalidState(keyARN, "is updating")
        case (_, .enabled), (_, .disabled): return
        }
    }
}
