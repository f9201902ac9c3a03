/// A Cryptoki function that did not answer CKR_OK. Reads `C_Sign: CKR_DEVICE_ERROR`.
public struct PKCS11Error: Error, Hashable, Sendable, CustomStringConvertible {
    public let function: CryptokiFunction
    public let returnValue: ReturnValue

    public init(_ function: CryptokiFunction, _ returnValue: ReturnValue) {
        self.function = function
        self.returnValue = returnValue
    }

    public var description: String { "\(function.rawValue): \(returnValue)" }
}

/// The Cryptoki functions that this module calls, for error texts.
public enum CryptokiFunction: String, Sendable {
    case initialize = "C_Initialize"
    case finalize = "C_Finalize"
    case getInfo = "C_GetInfo"
    case getSlotList = "C_GetSlotList"
    case getTokenInfo = "C_GetTokenInfo"
    case getMechanismInfo = "C_GetMechanismInfo"
    case openSession = "C_OpenSession"
    case closeSession = "C_CloseSession"
    case getSessionInfo = "C_GetSessionInfo"
    case initToken = "C_InitToken"
    case initPIN = "C_InitPIN"
    case login = "C_Login"
    case logout = "C_Logout"
    case createObject = "C_CreateObject"
    case copyObject = "C_CopyObject"
    case destroyObject = "C_DestroyObject"
    case getAttributeValue = "C_GetAttributeValue"
    case findObjectsInit = "C_FindObjectsInit"
    case findObjects = "C_FindObjects"
    case findObjectsFinal = "C_FindObjectsFinal"
    case encryptInit = "C_EncryptInit"
    case encrypt = "C_Encrypt"
    case decryptInit = "C_DecryptInit"
    case decrypt = "C_Decrypt"
    case signInit = "C_SignInit"
    case sign = "C_Sign"
    case generateKey = "C_GenerateKey"
    case generateKeyPair = "C_GenerateKeyPair"
    case wrapKey = "C_WrapKey"
    case deriveKey = "C_DeriveKey"
    case unwrapKey = "C_UnwrapKey"
    case generateRandom = "C_GenerateRandom"
}
