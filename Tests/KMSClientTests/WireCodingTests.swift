import Foundation
import KMSClient
import KMSModel
import Testing

/// Requests and answers as they stand on the wire.
@Suite struct WireCodingTests {
    private func text(_ value: some Encodable) throws -> String {
        String(decoding: try WireCoding.encoder().encode(value), as: UTF8.self)
    }

    @Test func `An import as the API wants it`() throws {
        var material = MaterialImport(
            keyId: "arn:aws:kms:us-east-1:000000000000:key/x", importToken: Data([1, 2, 3]),
            encryptedKeyMaterial: Data([0xff, 0xfe]), expirationModel: .keyMaterialDoesNotExpire)
        #expect(
            try text(material)
                == #"{"EncryptedKeyMaterial":"//4=","ExpirationModel":"KEY_MATERIAL_DOES_NOT_EXPIRE","#
                + #""ImportToken":"AQID","KeyId":"arn:aws:kms:us-east-1:000000000000:key/x"}"#)
        material.expirationModel = .keyMaterialExpires
        material.validTo = 1_800_000_000
        material.importType = .newKeyMaterial
        material.keyMaterialDescription = "second"
        let changed = try text(material)
        #expect(changed.contains(#""ValidTo":1800000000"#) && changed.contains(#""ImportType":"NEW_KEY_MATERIAL""#))
        #expect(changed.contains(#""KeyMaterialDescription":"second""#))
    }

    @Test func `A key to create is of origin EXTERNAL`() throws {
        let key = ExternalKeyCreation(keySpec: .hmac256, keyUsage: .generateVerifyMac)
        #expect(try text(key) == #"{"KeySpec":"HMAC_256","KeyUsage":"GENERATE_VERIFY_MAC","Origin":"EXTERNAL"}"#)
    }

    @Test func `Answers are read, and what is new in them is no error`() throws {
        let key = try WireCoding.decoder().decode(
            KeyDescription.self,
            from: Data(
                #"""
                {"AWSAccountId":"1","Arn":"a","KeySpec":"FUTURE_SPEC","KeyState":"Enabled","Origin":"EXTERNAL",
                 "ValidTo":1800000000.5,"ExpirationModel":"KEY_MATERIAL_EXPIRES","Something":{"New":[1]}}
                """#.utf8))
        #expect(key.arn == "a" && key.keySpec == "FUTURE_SPEC" && key.validTo == 1_800_000_000.5)
        let parameters = try WireCoding.decoder().decode(
            ImportParametersAnswer.self,
            from: Data(
                #"{"KeyId":"a","ImportToken":"AQID","PublicKey":"//4=","ParametersValidTo":1.8E9}"#.utf8))
        #expect(parameters.importToken == Data([1, 2, 3]) && parameters.parametersValidTo == 1_800_000_000)
    }

    @Test(arguments: [
        (nil, #"{"__type":"NotFoundException","message":"text"}"#, "NotFoundException: text"),
        (nil, #"{"__type":"com.amazonaws.kms#NotFoundException","Message":"text"}"#, "NotFoundException: text"),
        (nil, #"{"__type":"InvalidCiphertextException"}"#, "InvalidCiphertextException"),
        ("ThrottlingException:http://internal.amazon.com/", "{}", "ThrottlingException"),
        ("ThrottlingException", "not JSON", "ThrottlingException"),
    ])
    func `Errors of the service have their name and their text`(type: String?, body: String, text: String) {
        #expect(WireCoding.serviceError(type: type, body: Data(body.utf8))?.description == text)
    }

    @Test func `What is no error of the service is not made one`() {
        for body in ["", "<html>", #"{"message":"Forbidden"}"#] {
            #expect(WireCoding.serviceError(type: nil, body: Data(body.utf8)) == nil)
        }
    }
}
